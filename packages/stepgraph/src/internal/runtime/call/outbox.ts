/**
 * Where what an attempt does goes: its emissions, and its writes to the run's state.
 *
 * An invocation is its own direct outbox, so that nothing is made for most. A staged one keeps the emissions of an attempt
 * that may still fail. One that is kept whole keeps the writes too, for a host that settles calls.
 */
import type { AnyEvent, Defs } from "../../../Event.ts"
import type { Settlement } from "../../../Host.ts"
import type { State } from "../../../State.ts"

export interface Outbox {
  emit(event: unknown): void
  get<S>(state: State<S>): S
  set<S>(state: State<S>, value: S): void
  collect(defs: Defs): ReadonlyArray<AnyEvent> | undefined
}

/** What takes effect at once. */
export interface DirectOutbox extends Outbox {
  /** Checks that a step may emit a value, and gives the event it stands for. */
  accept(value: unknown): AnyEvent
  /** Whether an event is heard at once, whatever becomes of the attempt. */
  streams(event: AnyEvent): boolean
  write(write: Settlement["writes"][number]): void
  /** Collects what was collected before. */
  collectAgain(tags: ReadonlyArray<string>): void
}

/** Keeps emissions. What an attempt writes takes effect at once, and stays if it fails. */
export class Staged implements Outbox {
  events: Array<AnyEvent> = []
  protected readonly direct: DirectOutbox

  constructor(direct: DirectOutbox) {
    this.direct = direct
  }

  emit(event: unknown): void {
    const accepted = this.direct.accept(event)
    if (this.direct.streams(accepted)) this.direct.emit(accepted)
    else this.events.push(accepted)
  }

  get<S>(state: State<S>): S {
    return this.direct.get(state)
  }

  set<S>(state: State<S>, value: S): void {
    this.direct.set(state, value)
  }

  collect(defs: Defs): ReadonlyArray<AnyEvent> | undefined {
    return this.direct.collect(defs)
  }
}

/** Keeps all that an attempt does until its host lets it enter the run. */
export class Kept extends Staged {
  /** What it has written last, by cell, and what it has read before it wrote. */
  private readonly written = new Map<State<any>, unknown>()
  private readonly read = new Map<State<any>, unknown>()
  private readonly collected: Array<ReadonlyArray<string>> = []
  /** Set where it was settled before, and its function has not been called. */
  recorded: Settlement | undefined

  override get<S>(state: State<S>): S {
    if (this.written.has(state)) return this.written.get(state) as S
    if (!this.read.has(state)) this.read.set(state, this.direct.get(state))
    return this.read.get(state) as S
  }

  override set<S>(state: State<S>, value: S): void {
    this.written.set(state, value)
  }

  /** An event is collected once for an invocation, however often that asks, so this may be done again as it enters. */
  override collect(defs: Defs): ReadonlyArray<AnyEvent> | undefined {
    const events = this.direct.collect(defs)
    this.collected.push(defs.map(({ tag }) => tag))
    return events
  }

  /** Whether a cell that it has read holds something else by now. */
  get stale(): boolean {
    for (const [state, value] of this.read) if (!Object.is(this.direct.get(state), value)) return true
    return false
  }

  settled(exit: Settlement["exit"]): Settlement {
    const writes = [...this.written].map(([state, value]) => ({ state, value }))
    return { exit, events: this.events, writes, collected: this.collected }
  }

  /** Lets what a settlement holds take effect, but for its events, which are emitted when the step is done. */
  enter({ events, writes, collected }: Settlement): void {
    for (const tags of collected) this.direct.collectAgain(tags)
    for (const write of writes) this.direct.write(write)
    this.events = [...events]
  }
}
