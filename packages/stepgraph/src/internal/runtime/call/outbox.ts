/**
 * The destination of an attempt's effects: its emissions, and its writes to the run's state.
 *
 * An invocation is its own direct outbox, so that most need no other. `Staged` keeps the emissions of an attempt that may still
 * fail. `Kept` keeps the writes too, for a host that settles calls.
 */
import type * as Cause from "effect/Cause"
import * as Exit from "effect/Exit"
import type { AnyEvent, Defs } from "../../../Event.ts"
import type { Settlement } from "../../../Host.ts"
import type { State } from "../../../State.ts"
import type { Look } from "../intake/by-hand.ts"

export interface Outbox {
  emit(event: unknown): void
  get<S>(state: State<S>): S
  set<S>(state: State<S>, value: S): void
  collect(defs: Defs): ReadonlyArray<AnyEvent> | undefined
  /** A mistake that the step's own code may swallow: it fails the run all the same. */
  fail(cause: Cause.Cause<unknown>): void
}

/** Effects that take place at once. */
export interface DirectOutbox extends Outbox {
  /** Checks that a step may emit a value, and returns the event it stands for. */
  accept(value: unknown): AnyEvent
  /** Whether an event goes out at once, even if the attempt fails later. */
  streams(event: AnyEvent): boolean
  stream(event: AnyEvent): void
  write(write: Settlement["writes"][number]): void
  /** The result that `collect` would give now. Keeps nothing. */
  look(defs: Defs): Look
  /** Collects the lists that an attempt has looked at. */
  collectAll(tags: ReadonlyArray<string>): void
}

/** Keeps emissions. Writes take effect at once, and stay if the attempt fails. */
export class Staged implements Outbox {
  events: Array<AnyEvent> = []
  protected readonly direct: DirectOutbox

  constructor(direct: DirectOutbox) {
    this.direct = direct
  }

  emit(event: unknown): void {
    const accepted = this.direct.accept(event)
    if (this.direct.streams(accepted)) this.direct.stream(accepted)
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

  fail(cause: Cause.Cause<unknown>): void {
    this.direct.fail(cause)
  }
}

/** Keeps all effects of an attempt until its host lets it enter the run. */
export class Kept extends Staged {
  /** The last value written to each cell, and the values read before a write. */
  private readonly written = new Map<State<any>, unknown>()
  private readonly read = new Map<State<any>, unknown>()
  /** The collected lists, by their types. */
  private readonly looks = new Map<string, Look & { readonly tags: ReadonlyArray<string> }>()
  private mistake: Cause.Cause<unknown> | undefined

  override get<S>(state: State<S>): S {
    if (this.written.has(state)) return this.written.get(state) as S
    if (!this.read.has(state)) this.read.set(state, this.direct.get(state))
    return this.read.get(state) as S
  }

  override set<S>(state: State<S>, value: S): void {
    this.written.set(state, value)
  }

  override collect(defs: Defs): ReadonlyArray<AnyEvent> | undefined {
    const look = this.direct.look(defs)
    const tags = defs.map(({ tag }) => tag)
    const list = JSON.stringify(tags)
    const known = this.looks.get(list)
    if (known !== undefined) return known.events
    if (tags.length > 0) this.looks.set(list, { ...look, tags })
    return look.events
  }

  override fail(cause: Cause.Cause<unknown>): void {
    this.mistake ??= cause
  }

  /** Whether a cell it has read, or a list it has collected, has changed since. */
  get stale(): boolean {
    for (const [state, value] of this.read) if (!Object.is(this.direct.get(state), value)) return true
    for (const look of this.looks.values()) if (look.stale()) return true
    return false
  }

  settled(exit: Settlement["exit"], silent: boolean): Settlement {
    const writes = [...this.written].map(([state, value]) => ({ state, value }))
    const collected = Array.from(this.looks.values(), ({ tags }) => tags)
    return {
      exit: this.mistake === undefined ? exit : Exit.failCause(this.mistake),
      events: this.events,
      writes,
      collected,
      silent
    }
  }

  /** Applies a settlement, except for its events, which only a success emits. */
  enter({ writes, collected }: Settlement): void {
    for (const tags of collected) this.direct.collectAll(tags)
    for (const write of writes) this.direct.write(write)
  }
}
