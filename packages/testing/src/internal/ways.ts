/**
 * Everything that could go on in a run, and the choice: production's order, or another.
 */
import type { Fiber } from "effect/Fiber"
import type { Choices, Kind } from "./choices.ts"
import { ControlledClock, type Sleeper } from "./clock.ts"
import type { Modes } from "./modes.ts"
import { invocationOf, type Names } from "./names.ts"
import type { Outside } from "./outside.ts"
import { Pool, type Task } from "./scheduler.ts"

/** Something that could go on next. */
type Way = Task | Sleeper

/** A cell of state that an invocation has read or written. */
export interface Touch {
  readonly cell: string
  readonly value: unknown
  readonly written: boolean
}

/**
 * Records a choice (how it differs from the usual one, or which invocation went on), what an invocation touches, or that its
 * function is called again.
 */
export type Tell = (differs: string | undefined, invocation: string | undefined, touch?: Touch, again?: boolean) => void

const wokeEarly = (way: Way, usual: Way): boolean => "wake" in way && "wake" in usual && way.deadline > usual.deadline

export class Ways {
  readonly clock = new ControlledClock()
  readonly pool: Pool
  /** Whether a sleep ended before a shorter one. */
  early = false
  /** Set when the run is over: remaining work then follows the usual order. */
  over = false
  /** Set while a journal is fed to a run: nothing in it is a choice. */
  replays = false
  /** The invocation whose result has just been delivered, if it was a promise: it has done nothing since the last choice. */
  delivered: string | undefined
  /** Number of faults so far. */
  faults = 0
  private preempted = 0
  private readonly choices: Choices
  private readonly modes: Modes
  private readonly names: Names
  private readonly outside: Outside
  private readonly tell: Tell | undefined

  constructor(choices: Choices, modes: Modes, names: Names, outside: Outside, tell: Tell | undefined) {
    this.choices = choices
    this.modes = modes
    this.names = names
    this.outside = outside
    this.tell = tell
    this.pool = new Pool(modes.preempt === 0 ? undefined : (fiber) => this.preempts(fiber))
  }

  /** Lets a ready task go on if fibers go in turn; `false` if there is none. */
  goOnInTurn(): boolean {
    return this.modes.fibers === "in turn" && this.takeReady()
  }

  /** Lets the first ready task go on, whatever the modes say; `false` if there is none. */
  takeReady(): boolean {
    if (this.pool.ready.length === 0) return false
    this.pool.inside(this.pool.ready.shift()!.run)
    return true
  }

  /** Lets one of all possible tasks go on; `false` if none can by itself. Reaching a time limit does not count. */
  goOn(): boolean {
    const ways = this.all()
    if (ways.length === 0) return false
    if (this.reachesEarly()) return true
    const option = this.choose(
      ways.length,
      "order",
      () => ways.map((way) => this.names.keyOf(way)),
      (option) => this.names.overtakes(ways[option]!, ways[0]!)
    )
    if (option === 0) this.tell?.(undefined, this.names.invocationOf(ways[0]!))
    this.take(ways[option]!)
    if (option > 0 && wokeEarly(ways[option]!, ways[0]!)) this.early = true
    return true
  }

  /** Whether there is a time limit to reach when nothing else can happen. */
  get limited(): boolean {
    return this.clock.limits.length > 0
  }

  reachLimit(): void {
    this.take(this.clock.limits[0]!)
  }

  /** A fault: a time limit is reached though something else could go on. */
  private reachesEarly(): boolean {
    const { max, kinds, steps } = this.modes.faults
    if (this.faults >= max || !kinds.includes("timeout") || !this.limited) return false
    const limits = this.clock.limits.filter((limit) => steps === undefined || steps.includes(this.names.stepOf(limit)!))
    const option = this.choose(
      limits.length + 1,
      "fault",
      () => ["", ...limits.map((limit) => `${this.names.keyOf(limit)} ${limit.limit}`)],
      (option) => this.names.reaches(limits[option - 1]!)
    )
    if (option === 0) return false
    this.faults++
    this.take(limits[option - 1]!)
    return true
  }

  /** Production's order: ready tasks, results, sleepers; held-up tasks come last. */
  private all(): ReadonlyArray<Way> {
    const { ready, arrivals, preempted } = this.pool
    const { limits, sleepers } = this.clock
    const now = [...ready, ...arrivals]
    if (this.modes.time === "any") return [...now, ...sleepers, ...preempted]
    // A held-up task is not asleep, so no time passes before it goes on.
    if (now.length + preempted.length > 0) return [...now, ...preempted]
    const first = Math.min(...[sleepers[0], limits[0]].map((sleeper) => sleeper?.deadline ?? Infinity))
    const due = (way: Sleeper) => way.deadline === first
    // Everything else due at the instant of a run's limit comes first.
    const asleep = [...sleepers, ...limits.filter(({ limit }) => limit !== "run")].filter(due)
    return asleep.length > 0 ? asleep : limits.filter(due)
  }

  private take(way: Way): void {
    if ("wake" in way) {
      this.pool.inside(() => this.clock.wake(way))
      return
    }
    for (const tasks of [this.pool.ready, this.pool.arrivals, this.pool.preempted]) {
      const place = tasks.indexOf(way)
      if (place >= 0) tasks.splice(place, 1)
    }
    this.delivered = way.invocation
    this.pool.inside(way.run)
    this.delivered = undefined
  }

  /** Which of the ready steps begins; `undefined` if something else goes first. */
  next(steps: ReadonlyArray<string>): number | undefined {
    const waits = () => `step '${steps[0]}' has to wait before it begins, and others go on first`
    if (this.mayHoldUp() && this.holdsUp(waits)) {
      this.pool.preemptNext()
      return undefined
    }
    if (this.modes.lanes === "in turn") return 0
    return this.choose(
      steps.length,
      "order",
      () => steps,
      (option) => `step '${steps[option]}' begins before step '${steps[0]}'`
    )
  }

  private preempts(fiber: Fiber<unknown, unknown>): boolean {
    const stops = () => `${this.names.nameOf({ fiber })} is held up in the middle, and others go on first`
    return this.mayHoldUp() && invocationOf(fiber) !== undefined && this.holdsUp(stops)
  }

  /** Whether anything else could go on instead. */
  private mayHoldUp(): boolean {
    if (this.over || this.replays || this.preempted >= this.modes.preempt) return false
    const { ready, arrivals, preempted } = this.pool
    const sleepers = this.modes.time === "any" ? this.clock.sleepers.length : 0
    return ready.length + arrivals.length + preempted.length + sleepers > 0 || this.outside.awaits
  }

  private holdsUp(say: () => string): boolean {
    if (!this.happens("preempt", say)) return false
    this.preempted++
    return true
  }

  /** A result from the outside world, or one treated as such, waits for its turn like everything else. */
  arrive(invocation: string | undefined, run: () => void): void {
    this.pool.arrivals.push({ run, priority: 0, fiber: undefined, invocation })
  }

  /** Chooses whether something unusual happens. */
  happens(kind: Kind, say: () => string): boolean {
    return this.choose(2, kind, () => ["", kind], say) === 1
  }

  /** Every choice of the run is made here. `say` describes an option other than the usual one. */
  choose(count: number, kind: Kind, keys: () => ReadonlyArray<string>, say: (option: number) => string): number {
    if (this.over || this.replays) return 0
    const option = this.choices.choose(count, kind, keys)
    if (option > 0) this.tell?.(say(option), undefined)
    return option
  }
}
