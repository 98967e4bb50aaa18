/**
 * One run of a workflow under control: every place where it could go on in several ways is a choice.
 */
import * as Clock from "effect/Clock"
import * as Console from "effect/Console"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import type { Fiber } from "effect/Fiber"
import * as Logger from "effect/Logger"
import { isPromiseLike } from "effect/Predicate"
import * as Random from "effect/Random"
import * as Scheduler from "effect/Scheduler"
import { Observer, type TraceEntry } from "stepgraph"
import { type Call, type Marking, Probe } from "stepgraph/probe"
import type { Choices, Kind } from "./choices.ts"
import { ControlledClock, type Sleeper } from "./clock.ts"
import type { Executed, Told } from "./executed.ts"
import { type FaultKind, instead, inWords } from "./faults.ts"
import type { Modes } from "./modes.ts"
import { invocationOf, Names } from "./names.ts"
import { Outside } from "./outside.ts"
import { steadyRandom } from "./random.ts"
import { Pool, type Task } from "./scheduler.ts"
import { show } from "./show.ts"
import { lead, owned } from "./timers.ts"
import { microtasks } from "./turn.ts"
import { type Cause, inVain, onlyOutside, somethingOutside, wentOn } from "./uncontrolled.ts"

const silence = new Proxy(globalThis.console, { get: () => () => {} })
const noLoggers: ReadonlySet<Logger.Logger<unknown, unknown>> = new Set()

/** A run that does not come to an end is given up after so many tasks, or entries of its trace. */
const mostTasks = 20_000
const mostEntries = 100_000

/** What a step gave at once, held back as if it had been slow. */
class Held {
  readonly value: unknown
  constructor(value: unknown) {
    this.value = value
  }
  then(): void {}
}

/** What could go on next. */
type Way = Task | Sleeper

const wokeEarly = (way: Way, usual: Way): boolean => "wake" in way && "wake" in usual && way.deadline > usual.deadline

export class Execution {
  private readonly clock = new ControlledClock()
  private readonly pool: Pool
  private readonly choices: Choices
  private readonly modes: Modes
  private readonly telling: boolean
  private readonly trace: Array<TraceEntry> = []
  private readonly told: Array<Told> = []
  private readonly uncontrolled = new Map<string, Cause>()
  private readonly names = new Names()
  private marking: (() => Marking) | undefined
  private fiber!: Fiber<unknown, unknown>
  private running = 0
  private readonly outside: Outside
  private faults = 0
  private hanging = 0
  private preempted = 0
  private cancelled = false
  private early = false
  private endless = false
  private flushed = false
  private finished = false
  private waited = false
  private tasks = 0

  /** `outsideHasSay`: whether the world outside has woken a run like this before. */
  constructor(choices: Choices, modes: Modes, telling: boolean, outsideHasSay: boolean) {
    this.choices = choices
    this.modes = modes
    this.telling = telling
    this.outside = new Outside(modes.patience, outsideHasSay)
    this.pool = new Pool(modes.preempt === 0 ? undefined : (fiber) => this.preempts(fiber))
  }

  /** Runs a program to its end: at once where it can, otherwise as a promise. */
  run(
    program: Effect.Effect<unknown, unknown>,
    context: Context.Context<never>,
    signal: AbortSignal | undefined
  ): Executed | Promise<Executed> {
    let own = context.pipe(
      Context.add(Scheduler.Scheduler, this.pool),
      Context.add(Clock.Clock, this.clock),
      Context.add(Random.Random, steadyRandom()),
      Context.add(Observer, (entry) => this.observe(entry)),
      Context.add(Probe, this.probe)
    )
    if (!this.modes.logs) {
      own = own.pipe(Context.add(Logger.CurrentLoggers, noLoggers), Context.add(Console.Console, silence))
    }
    this.leadTimers()
    this.pool.inside(() => {
      this.fiber = Effect.runForkWith(own)(program)
    })
    return this.continue(signal)
  }

  private continue(signal: AbortSignal | undefined): Executed | Promise<Executed> {
    for (;;) {
      const exit = this.fiber.pollUnsafe()
      if (exit !== undefined) return this.end(exit)
      if (signal?.aborted === true) return this.abandon()
      if (this.tasks++ > mostTasks || this.trace.length > mostEntries) {
        this.endless = true
        this.uncontrolled.set(wentOn, "endless")
        return this.abandon()
      }
      if (this.pool.ready.length > 0 && this.modes.fibers === "in turn") {
        this.go(this.pool.ready.shift()!.run)
      } else if (this.needsMicrotasks()) {
        return this.microtasks(signal)
      } else if (!this.chooseNext()) {
        return this.waitOutside(signal)
      }
    }
  }

  private go(run: () => void): void {
    this.flushed = false
    this.pool.inside(run)
  }

  // ---------------------------------------------------------------- what goes on next

  /** `false` where nothing can go on by itself. */
  private chooseNext(): boolean {
    const ways = this.ways()
    if (this.modes.cancel && !this.cancelled && this.running > 0) {
      const option = this.choose(
        2,
        "cancel",
        () => ["", "cancel"],
        () => "the whole run is interrupted from outside"
      )
      if (option === 1) {
        this.cancelled = true
        this.go(() => this.fiber.interruptUnsafe())
        return true
      }
    }
    if (ways.length === 0) return false
    const option = this.choose(
      ways.length,
      "order",
      () => ways.map((way) => this.names.keyOf(way)),
      (option) => this.names.overtakes(ways[option]!, ways[0]!)
    )
    if (option === 0 && this.telling) this.tell(undefined, this.names.invocationOf(ways[0]!))
    this.take(ways[option]!)
    if (option > 0 && wokeEarly(ways[option]!, ways[0]!)) this.early = true
    return true
  }

  /** In the order of production: what is ready, what has come, who wakes first; what is held up comes last. */
  private ways(): ReadonlyArray<Way> {
    const { ready, arrivals, preempted } = this.pool
    const { sleepers } = this.clock
    const now = [...ready, ...arrivals]
    if (this.modes.time === "any") return [...now, ...sleepers, ...preempted]
    // What is held up in the middle does not sleep: no time passes before it goes on.
    if (now.length + preempted.length > 0) return [...now, ...preempted]
    return sleepers.filter(({ deadline }) => deadline === sleepers[0]!.deadline)
  }

  private take(way: Way): void {
    if ("wake" in way) {
      this.go(() => this.clock.wake(way))
      return
    }
    for (const tasks of [this.pool.ready, this.pool.arrivals, this.pool.preempted]) {
      const place = tasks.indexOf(way)
      if (place >= 0) tasks.splice(place, 1)
    }
    this.go(way.run)
  }

  private choose(
    count: number,
    kind: Kind,
    keys: () => ReadonlyArray<string>,
    say: (option: number) => string
  ): number {
    const option = this.choices.choose(count, kind, keys)
    if (option > 0 && this.telling) this.tell(say(option), undefined)
    return option
  }

  private tell(differs: string | undefined, invocation: string | undefined): void {
    this.told.push({ at: this.trace.length, differs, invocation })
  }

  private preempts(fiber: Fiber<unknown, unknown>): boolean {
    if (this.preempted >= this.modes.preempt || this.finished) return false
    if (invocationOf(fiber) === undefined || !this.somethingElse()) return false
    const say = () => `${this.names.nameOf({ fiber })} is held up in the middle, and others go on first`
    if (this.choose(2, "preempt", () => ["", "preempt"], say) === 0) return false
    this.preempted++
    return true
  }

  /** Whether anything could go on in place of what goes on now. */
  private somethingElse(): boolean {
    const { ready, arrivals, preempted } = this.pool
    const sleepers = this.modes.time === "any" ? this.clock.sleepers.length : 0
    return ready.length + arrivals.length + preempted.length + sleepers > 0 || this.outside.awaits
  }

  // ---------------------------------------------------------------- the world outside

  /** Whether a promise could be settled by what has already happened. */
  private needsMicrotasks(): boolean {
    if (this.flushed) return false
    if (this.outside.awaits) return true
    const { ready, arrivals } = this.pool
    if (ready.length > 0) return false
    return (
      this.running - this.hanging > this.clock.sleepers.length + arrivals.length || this.clock.sleepers.length === 0
    )
  }

  private async microtasks(signal: AbortSignal | undefined): Promise<Executed> {
    this.flushed = true
    await microtasks()
    this.outside.microtasksRan()
    return this.continue(signal)
  }

  /** Nothing can go on by itself: either the world outside wakes somebody, or nobody ever will. */
  private async waitOutside(signal: AbortSignal | undefined): Promise<Executed> {
    // What others do while the event loop turns takes its real time.
    lead(undefined)
    const settled = await this.outside.wait({
      came: () => this.fiber.pollUnsafe() !== undefined || this.pool.arrivals.length + this.clock.sleepers.length > 0,
      givesUp: () => signal?.aborted === true,
      hanging: this.hanging > 0
    })
    if (typeof settled === "string") {
      this.waited = settled === "in vain"
      if (this.waited) this.uncontrolled.set(inVain(this.modes.patience, this.outside.stuck), "outside")
      return this.abandon()
    }
    this.leadTimers()
    for (const step of settled) this.uncontrolled.set(onlyOutside(step), "outside")
    if (settled.length === 0) this.uncontrolled.set(somethingOutside, "outside")
    return this.continue(signal)
  }

  private leadTimers(): void {
    if (this.modes.timers === "virtual") lead(this.clock)
  }

  /** Ends a run that does not end by itself; it is interrupted so that it holds nothing. */
  private abandon(): Executed {
    const marking = this.marking?.()
    const trace = [...this.trace]
    this.stop()
    return this.executed(undefined, trace, [], marking)
  }

  private stop(): void {
    this.finished = true
    this.pool.inside(() => this.fiber.interruptUnsafe())
    this.drain()
  }

  /** Lets everything go on that is ready, without choices. */
  private drain(): void {
    for (let tasks = 0; tasks < mostTasks && this.pool.ready.length > 0; tasks++) {
      this.pool.inside(this.pool.ready.shift()!.run)
    }
  }

  private end(exit: Exit.Exit<unknown, unknown>): Executed {
    this.finished = true
    const marking = this.marking?.()
    this.drain()
    // A timer that nobody has cleared does no harm: nothing of the run hears of it.
    const sleepers = this.clock.sleepers.filter(({ fiber }) => fiber !== undefined)
    const left = sleepers.map((sleeper) => `${this.names.nameOf(sleeper)} still waits for time to pass`)
    for (const { fiber } of sleepers) this.pool.inside(() => fiber!.interruptUnsafe())
    if (!this.waitsForTimers())
      for (const step of this.outside.stuck) this.uncontrolled.set(onlyOutside(step), "outside")
    this.drain()
    return this.executed(exit, this.trace, left, marking)
  }

  /** Whether a promise that is not settled can be one that a virtual timer would have settled. */
  private waitsForTimers(): boolean {
    return this.modes.timers === "virtual" && this.outside.hasOpened() !== true
  }

  private executed(
    exit: Executed["exit"],
    trace: ReadonlyArray<TraceEntry>,
    left: ReadonlyArray<string>,
    marking: Marking | undefined
  ): Executed {
    lead(undefined)
    const { told, early, endless, waited, cancelled, faults, uncontrolled } = this
    return { exit, trace, told, early, endless, waited, cancelled, faults, left, uncontrolled, marking }
  }

  // ---------------------------------------------------------------- what the core asks and tells

  private observe(entry: TraceEntry): void {
    if (this.finished) return
    this.trace.push(entry)
    if (entry._tag === "InvocationStarted" && entry.attempt === 1) this.running++
    else if (entry._tag === "InvocationEnded" && entry.outcome !== "to be retried") this.running--
  }

  private readonly probe: Probe = {
    began: (_, marking) => {
      this.marking ??= marking
    },
    next: (steps) => {
      if (this.finished) return 0
      const preempts = this.preempted < this.modes.preempt && this.somethingElse()
      if (
        preempts &&
        this.choose(
          2,
          "preempt",
          () => ["", "preempt"],
          () => `step '${steps[0]}' has to wait before it begins, and others go on first`
        ) === 1
      ) {
        this.preempted++
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
    },
    call: (call, run) => {
      this.names.add(call)
      const fault = this.fault(call)
      if (fault !== undefined) return Effect.provideService(instead(fault, call.step, run), Observer, undefined)
      const value = this.called(call, run)
      if (Effect.isEffect(value)) return this.alone(value as Effect.Effect<unknown, unknown>, call)
      return this.modes.results === "any" && !isPromiseLike(value) ? new Held(value) : value
    },
    wait: ({ step, invocation }, promise, fulfilled, rejected) => {
      const arrive = (run: () => void) => this.arrive(invocation, run)
      if (promise instanceof Held) {
        arrive(() => fulfilled(promise.value))
        return
      }
      const settled = this.outside.await(step)
      const settle = (run: () => void) => {
        settled()
        arrive(run)
      }
      promise.then(
        (value) => settle(() => fulfilled(value)),
        (cause) => settle(() => rejected(cause))
      )
    }
  }

  /** What came at once, when it is let; what has taken its time, at once. */
  private later<A, E>(tasks: number, invocation: string | undefined, given: Effect.Effect<A, E>): Effect.Effect<A, E> {
    if (this.tasks !== tasks) return given
    return Effect.callback((resume) => this.arrive(invocation, () => resume(given)))
  }

  private arrive(invocation: string | undefined, run: () => void): void {
    this.pool.arrivals.push({ run, priority: 0, fiber: undefined, invocation })
  }

  /** What happens in place of a step's function. */
  private fault({ step, input }: Call): FaultKind | undefined {
    const { max, kinds, steps } = this.modes.faults
    if (this.finished || this.faults >= max || (steps !== undefined && !steps.includes(step))) return undefined
    const option = this.choose(
      kinds.length + 1,
      "fault",
      () => ["", ...kinds],
      (option) => `${step}(${show(input)}) ${inWords[kinds[option - 1]!]}`
    )
    if (option === 0) return undefined
    this.faults++
    const fault = kinds[option - 1]!
    if (fault === "hang") this.hanging++
    return fault
  }

  private called({ invocation }: Call, run: () => unknown): unknown {
    if (this.modes.results === "at once") return owned(invocation, run)
    try {
      return owned(invocation, run)
    } catch (error) {
      return Effect.die(error)
    }
  }

  /** A run inside a step is not in this run's trace. */
  private alone(effect: Effect.Effect<unknown, unknown>, { invocation }: Call): Effect.Effect<unknown, unknown> {
    const unobserved = Effect.provideService(effect, Observer, undefined)
    if (this.modes.results === "at once") return unobserved
    return Effect.suspend(() => {
      const { tasks } = this
      return Effect.matchCauseEffect(unobserved, {
        onSuccess: (value) => this.later(tasks, invocation, Effect.succeed(value)),
        onFailure: (cause) => this.later(tasks, invocation, Effect.failCause(cause))
      })
    })
  }
}
