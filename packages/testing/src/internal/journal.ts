/**
 * The activations of a run, one after another: records the order in which it lets them enter, and feeds them to another run.
 */
import type { Call, HostedRun, Settlement, Settling } from "stepgraph/host"

/** An activation of a run. Its key is the same in every run. */
export interface Activation {
  readonly key: string
  readonly settlement?: Settlement
}

/** An activation that may enter a run. */
export interface Next extends Activation {
  /** Returns `false` if it does not happen after all. */
  readonly enter: (settlement: Settlement | undefined) => boolean
}

/** What the owner of a journal decides. */
export interface Keeper {
  /** An activation that does not come from the run itself; `undefined` if this is none, or its time has not come. */
  readonly outside?: (key: string) => Next | undefined
  /** Whether nothing may enter now. */
  readonly holds?: () => boolean
  /** An activation that was not given is about to enter. Returns `false` to leave it out, and everything after it. */
  readonly enters?: (next: Next) => boolean
  /** All that was given has entered. */
  readonly live?: () => void
}

export const keyOf = ({ id, attempt, recovers }: Call): string =>
  `settled ${id} ${attempt}${recovers ? " recovers" : ""}`

export class Journal {
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
  private index = 0
  private pumping = false
  private live: boolean

  constructor(given: ReadonlyArray<Activation>, keeper: Keeper) {
    this.given = given
    this.keeper = keeper
    this.live = given.length === 0
    for (const { key } of given) this.ahead.set(key, (this.ahead.get(key) ?? 0) + 1)
  }

  /** Whether something is still to be fed. */
  get replays(): boolean {
    return !this.live
  }

  /** The activation to be fed next. */
  get missing(): string | undefined {
    return this.given[this.index]?.key
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
          again()
          return false
        }
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
    if (this.pumping) return
    this.pumping = true
    try {
      while (this.waits && this.hosted?.resting() && this.hosted.status().state !== "ended") {
        if (this.keeper.holds?.()) break
        if (!this.live && this.index === this.given.length) {
          this.live = true
          this.keeper.live?.()
          continue
        }
        const next = this.next()
        if (next === undefined || !this.lets(next)) break
      }
    } finally {
      this.pumping = false
    }
  }

  /** Whether anything may enter once the run rests. */
  private get waits(): boolean {
    return !this.live || this.queue.length > 0
  }

  /** Lets one activation enter. */
  private lets(next: Next): boolean {
    const { enter, key, settlement } = next
    if (this.live && this.keeper.enters?.(next) === false) return false
    const at = this.entries.length
    this.entries.push(settlement === undefined ? { key } : { key, settlement })
    if (!enter(settlement)) this.entries.splice(at, 1)
    return true
  }

  private next(): Next | undefined {
    const activation = this.given[this.index]
    if (activation === undefined) return this.queue.shift()
    const { key, settlement } = activation
    const at = this.asked.findIndex((other) => other.key === key)
    const next = at >= 0 ? this.asked.splice(at, 1)[0]! : this.keeper.outside?.(key)
    if (next === undefined) return undefined
    this.index++
    const left = this.ahead.get(key)! - 1
    if (left === 0) this.ahead.delete(key)
    else this.ahead.set(key, left)
    return settlement === undefined ? next : { ...next, settlement: copyOf(settlement) }
  }
}

/** A copy, as from a store. */
const copyOf = (settlement: Settlement): Settlement => ({
  ...settlement,
  events: settlement.events.map((event) => ({ ...event }))
})
