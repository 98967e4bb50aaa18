/**
 * The activations of a run, one after another: records the order in which it lets them enter, and feeds them to another run.
 */
import type { Call, HostedRun, Settlement, Settling } from "stepgraph/host"
import { type Activation, callOf, keyOf, type Next, nameOf } from "./activation.ts"
import { JournalCalls } from "./journal-calls.ts"

/** What the owner of a journal decides. */
export interface Keeper {
  /** An activation that does not come from the run itself; `undefined` if this is none, or its time has not come. */
  readonly outside?: (key: string) => Next | undefined
  /** Whether nothing may enter now. */
  readonly holds?: () => boolean
  /** An activation that was not given is about to enter. Returns `false` to leave it out, and everything after it. */
  readonly enters?: (next: Next) => boolean
  /** The time of what enters now. */
  readonly now?: () => number
  /** All that was given has entered. */
  readonly live?: () => void
}

export class Journal {
  /** What calls do before their end. */
  readonly calls: JournalCalls
  /** What has entered, in order. */
  readonly entries: Array<Activation> = []
  /** The run: set when its host is made. */
  hosted: HostedRun | undefined
  private readonly given: ReadonlyArray<Activation>
  private readonly keeper: Keeper
  /** The number of activations still to be fed, by key. */
  private readonly ahead = new Map<string, number>()
  /** What the run has asked for and is to be fed, and what may enter after that. */
  private readonly asked: Array<Next> = []
  private readonly queue: Array<Next> = []
  /** What enters, or entered last. */
  entering: Activation | undefined
  private index = 0
  private pumping = false
  /** Whether something has been offered meanwhile: what enters may let a call go on at once. */
  private more = false
  private live: boolean

  constructor(given: ReadonlyArray<Activation>, keeper: Keeper) {
    this.given = given
    this.keeper = keeper
    this.live = given.length === 0
    for (const { key } of given) this.ahead.set(key, (this.ahead.get(key) ?? 0) + 1)
    this.calls = new JournalCalls(this, given)
  }

  /** Whether something is still to be fed. */
  get replays(): boolean {
    return !this.live
  }

  /** When what is fed now entered first; `undefined` before the first, and after the last. */
  get time(): number | undefined {
    return this.live ? undefined : this.entering?.at
  }

  /** The activation to be fed next. */
  get missing(): Activation | undefined {
    return this.given[this.index]
  }

  /** What a call that is made again asks, if it asked something else before. */
  get another(): ReturnType<JournalCalls["another"]> {
    return this.calls.another(this.queue)
  }

  /** Whether an activation is still to be fed. */
  expects(key: string): boolean {
    return this.ahead.has(key)
  }

  /** An activation may enter: at once, unless the journal determines when. */
  offer(next: Next): void {
    if (this.expects(next.key)) this.asked.push(next)
    else this.queue.push(next)
    this.pump()
  }

  /** A call is over. `entering` is told of the settlement that enters, right before it does. */
  settle(
    call: Call,
    settlement: Settlement,
    { again, enter, stale }: Settling,
    entering: (settlement: Settlement) => void = () => {}
  ): void {
    const key = keyOf(call)
    const recorded = this.expects(key)
    this.offer({
      key,
      settlement,
      enter: (settlement) => {
        if (!recorded && stale()) {
          const repeated = this.calls.repeat(nameOf(call))
          if (repeated !== undefined) this.entries.push({ ...repeated, at: this.keeper.now?.() })
          again()
          return false
        }
        this.calls.forget(nameOf(call))
        entering(settlement!)
        enter(settlement!)
        return true
      }
    })
  }

  /** A timer of the run. `begin` starts the real one, and returns what stops it. */
  timer(key: string, fire: () => void, begin: (over: () => void) => () => void): () => void {
    let wanted = true
    const next: Next = {
      key,
      enter: () => {
        if (wanted) fire()
        return wanted
      }
    }
    if (this.expects(key)) {
      this.offer(next)
      return () => {
        const at = this.asked.indexOf(next)
        if (at >= 0) this.asked.splice(at, 1)
      }
    }
    const stop = begin(() => this.offer(next))
    return () => {
      wanted = false
      stop()
    }
  }

  /** Lets everything enter that may. */
  pump(): void {
    this.more = true
    if (this.pumping) return
    this.pumping = true
    try {
      while (this.more) this.letAll()
    } finally {
      this.pumping = false
    }
  }

  private letAll(): void {
    this.more = false
    while (this.waits && this.hosted?.resting() && this.hosted.status().state !== "ended") {
      if (this.keeper.holds?.()) break
      if (!this.live && this.index === this.given.length) {
        this.goLive()
        continue
      }
      const next = this.next()
      if (next === undefined || !this.lets(next)) break
    }
  }

  /** Whether anything may enter once the run rests. */
  private get waits(): boolean {
    return !this.live || this.queue.length > 0
  }

  private goLive(): void {
    this.live = true
    this.keeper.live?.()
    this.calls.goLive()
  }

  /** Lets one activation enter. */
  private lets(next: Next): boolean {
    if (this.live && this.keeper.enters?.(next) === false) return false
    const { enter, message, waits, ...activation } = next
    if (this.live) activation.at = this.keeper.now?.()
    const at = this.entries.length
    this.entries.push(activation)
    this.entering = activation
    if (!enter(activation.settlement)) this.entries.splice(at, 1)
    return true
  }

  /**
   * The next that may enter. A message waits for the calls that must say whether it answers them, and others wait behind it, in
   * their order.
   */
  private first(): Next | undefined {
    let held = false
    const at = this.queue.findIndex(({ message, waits }) => {
      if (message === undefined) return waits?.() !== true
      held ||= message.tag !== undefined && !this.calls.knows(message.tag)
      return !held
    })
    return at < 0 ? undefined : this.queue.splice(at, 1)[0]
  }

  private next(): Next | undefined {
    const activation = this.given[this.index]
    if (activation === undefined) return this.first()
    const { call, key, settlement } = activation
    const at = this.asked.findIndex((other) => other.key === key)
    if (at < 0 && settlement !== undefined) this.calls.end(callOf(activation)!)
    const next =
      call !== undefined
        ? this.calls.inPlace(activation)
        : at >= 0
          ? this.asked.splice(at, 1)[0]!
          : this.keeper.outside?.(key)
    if (next === undefined) return undefined
    this.index++
    const left = this.ahead.get(key)! - 1
    if (left === 0) this.ahead.delete(key)
    else this.ahead.set(key, left)
    const { enter } = next
    return settlement === undefined
      ? { ...activation, enter }
      : { ...activation, settlement: copyOf(settlement), enter }
  }
}

/** A copy, as from a store. */
const copyOf = (settlement: Settlement): Settlement => ({
  ...settlement,
  events: settlement.events.map((event) => ({ ...event }))
})
