/**
 * One controlled run of a workflow, from its first task to its end: what to wait for, and when to give up.
 */
import * as Clock from "effect/Clock"
import * as Console from "effect/Console"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import type { Fiber } from "effect/Fiber"
import * as Logger from "effect/Logger"
import * as Random from "effect/Random"
import * as Scheduler from "effect/Scheduler"
import { Observer, type RunStatus, type TraceEntry } from "stepgraph"
import { Host, type HostedRun, type RunHost } from "stepgraph/host"
import { Calls } from "./calls.ts"
import type { Choices } from "./choices.ts"
import type { Executed } from "./executed.ts"
import { lead } from "./fake-timers.ts"
import { isMortal, Lives, type Mortal } from "./lives.ts"
import type { Modes } from "./modes.ts"
import { Names } from "./names.ts"
import { type Learned, Outside } from "./outside.ts"
import { steadyIds, steadyRandom } from "./random.ts"
import { Recording } from "./recording.ts"
import { microtasks } from "./turn.ts"
import { type Cause, inVain, onlyOutside, somethingOutside, wentOn } from "./uncontrolled.ts"
import { type Tell, Ways } from "./ways.ts"

const silence = new Proxy(globalThis.console, { get: () => () => {} })
const noLoggers: ReadonlySet<Logger.Logger<unknown, unknown>> = new Set()

/** A run that does not end is stopped after this many turns or trace entries. */
const mostTurns = 20_000
const mostEntries = 100_000

export class Execution {
  private readonly modes: Modes
  private readonly names = new Names()
  private readonly outside: Outside
  private readonly ways: Ways
  private readonly calls: Calls
  private readonly recording = new Recording()
  private readonly tell: Tell | undefined
  private readonly uncontrolled = new Map<string, Cause>()
  private lives: Lives | undefined
  private statusOf: (() => RunStatus) | undefined
  private fiber!: Fiber<unknown, unknown>
  private turns = 0
  /** Whether microtasks have run since the last step forward. */
  private flushed = false
  private cancelled = false
  private endless = false
  private waited = false
  private inVain = false

  constructor(choices: Choices, modes: Modes, telling: boolean, learned: Learned) {
    const tell: Tell = (...said) => {
      if (!this.ways.over && !this.ways.replays) this.recording.note(...said)
    }
    this.tell = telling ? tell : undefined
    this.modes = modes
    this.outside = new Outside(modes.patience, learned)
    this.ways = new Ways(choices, modes, this.names, this.outside, this.tell)
    this.calls = new Calls(modes, this.names, this.outside, this.ways, () => this.turns)
  }

  /** Runs a program to its end: synchronously if possible, otherwise as a promise. */
  run(
    program: Effect.Effect<unknown, unknown> | Mortal,
    context: Context.Context<never>,
    signal: AbortSignal | undefined
  ): Executed | Promise<Executed> {
    const nextId = steadyIds()
    let rootId: string | undefined
    const host = (run: HostedRun): RunHost => {
      const parent = run.parent?.invocation
      this.statusOf ??= run.status
      const runId = () => {
        // A run that goes on in another process is the same run.
        if (parent === undefined && this.lives !== undefined) return (rootId ??= nextId())
        const id = nextId()
        if (parent !== undefined) this.names.inside(parent, id)
        return id
      }
      const touches: RunHost["touches"] = ({ id }, cell, value, written) => {
        if (parent === undefined) this.tell?.(undefined, id, { cell, value, written })
      }
      return { runId, next: (steps) => this.ways.next(steps), touches, ...this.calls.hostOf(parent) }
    }
    let own = context.pipe(
      Context.add(Scheduler.Scheduler, this.ways.pool),
      Context.add(Clock.Clock, this.ways.clock),
      Context.add(Random.Random, steadyRandom()),
      Context.add(Observer, (entry) => this.observe(entry)),
      Context.add(Host, host)
    )
    if (!this.modes.logs) {
      own = own.pipe(Context.add(Logger.CurrentLoggers, noLoggers), Context.add(Console.Console, silence))
    }
    if (isMortal(program)) {
      this.lives = new Lives(program, this.ways, this.modes.time, this.tell, {
        hostOf: host,
        observe: (entry) => this.observe(entry),
        mayDie: () => this.modes.crash && !this.cancelled && !this.ways.over
      })
    }
    const running = isMortal(program) ? this.lives!.program(own) : program
    this.leadTimers()
    this.ways.pool.inside(() => {
      this.fiber = Effect.runForkWith(own)(running)
    })
    return this.continue(signal)
  }

  private observe(entry: TraceEntry): void {
    if (!this.ways.over) this.recording.entry(entry)
  }

  private continue(signal: AbortSignal | undefined): Executed | Promise<Executed> {
    for (;;) {
      const exit = this.fiber.pollUnsafe()
      if (exit !== undefined) return this.end(exit)
      if (signal?.aborted === true || this.ways.clock.uncaught !== undefined) return this.abandon()
      if (this.turns++ > mostTurns || this.recording.trace.length > mostEntries) {
        this.endless = true
        this.uncontrolled.set(wentOn, "endless")
        return this.abandon()
      }
      if (this.lives?.dying === true) {
        if (this.outside.awaits) return this.outlive(this.lives, signal)
        this.goOnAnew(this.lives)
      } else if (this.ways.replays) {
        if (!this.ways.takeReady()) {
          // All that a run still does by itself comes at once, so it never comes to what its journal holds.
          if (this.flushed) return this.abandon()
          return this.microtasks(signal)
        }
      } else if (!this.ways.goOnInTurn()) {
        if (this.needsMicrotasks()) return this.microtasks(signal)
        if (!this.cancels() && this.lives?.dies(() => "the process dies") !== true && !this.ways.goOn()) {
          if (this.lives?.diverges === true && this.outside.hasOpened() !== true) return this.abandon()
          if (!this.ways.limited || this.outside.mayComeBeforeLimit) return this.waitOutside(signal)
          this.ways.reachLimit()
        }
      }
      this.flushed = false
    }
  }

  /** Interrupts the whole run if the schedule says so. */
  private cancels(): boolean {
    if (!this.modes.cancel || this.cancelled || this.recording.running === 0) return false
    this.cancelled = this.ways.happens("cancel", () => "the whole run is interrupted from outside")
    if (this.cancelled) this.interrupt()
    return this.cancelled
  }

  /** Lets the promises of a dead process go as far as they can before the next one begins. */
  private async outlive(lives: Lives, signal: AbortSignal | undefined): Promise<Executed> {
    lives.bury()
    await microtasks()
    this.goOnAnew(lives)
    return this.continue(signal)
  }

  private goOnAnew(lives: Lives): void {
    lives.bury()
    this.outside.forget()
    this.calls.hanging = 0
    this.recording.beginAnew()
    this.statusOf = undefined
    // The new process may have called functions by now.
    this.flushed = false
    lives.goOn()
  }

  private interrupt(): void {
    this.ways.pool.inside(() => this.fiber.interruptUnsafe())
  }

  // ---------------------------------------------------------------- the outside world

  /** Whether earlier events may still settle a promise. */
  private needsMicrotasks(): boolean {
    if (this.flushed) return false
    if (this.outside.awaits) return true
    const { pool, clock } = this.ways
    if (pool.ready.length > 0) return false
    const asleep = clock.sleepers.length
    return asleep === 0 || this.recording.running - this.calls.hanging > asleep + pool.arrivals.length
  }

  private async microtasks(signal: AbortSignal | undefined): Promise<Executed> {
    this.flushed = true
    await microtasks()
    this.outside.microtasksRan()
    return this.continue(signal)
  }

  /** Nothing can go on by itself: the outside world wakes something, or the run hangs. */
  private async waitOutside(signal: AbortSignal | undefined): Promise<Executed> {
    const { pool, clock } = this.ways
    // Other work takes its real time while the event loop turns.
    lead(undefined)
    const settled = await this.outside.wait({
      came: () => this.fiber.pollUnsafe() !== undefined || pool.arrivals.length + clock.sleepers.length > 0,
      givesUp: () => signal?.aborted === true,
      hanging: this.calls.hanging > 0
    })
    this.inVain ||= settled === "in vain"
    if (typeof settled === "string" && settled !== "given up" && this.ways.limited) {
      for (const step of this.outside.stuck) this.uncontrolled.set(onlyOutside(step), "outside")
      this.leadTimers()
      this.ways.reachLimit()
      return this.continue(signal)
    }
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
    if (this.modes.timers === "virtual") lead(this.ways.clock)
  }

  // ---------------------------------------------------------------- the end

  /** Ends a run that does not end by itself: interrupts it to release its resources. */
  private abandon(): Executed {
    const status = this.statusOf?.()
    this.ways.over = true
    this.interrupt()
    this.drain()
    return this.executed(undefined, [], status)
  }

  private end(exit: Exit.Exit<unknown, unknown>): Executed {
    this.ways.over = true
    const status = this.statusOf?.()
    this.drain()
    const { clock, pool } = this.ways
    // An uncleared timer does no harm: it can no longer reach the run.
    const sleepers = clock.sleepers.filter(({ fiber }) => fiber !== undefined)
    const left = sleepers.map((sleeper) => `${this.names.nameOf(sleeper)} still waits for time to pass`)
    for (const { fiber } of sleepers) pool.inside(() => fiber!.interruptUnsafe())
    if (!this.waitsForTimers())
      for (const step of this.outside.stuck) this.uncontrolled.set(onlyOutside(step), "outside")
    this.drain()
    return this.executed(exit, left, status)
  }

  /** Lets all ready tasks go on, without choices. */
  private drain(): void {
    for (let tasks = 0; tasks < mostTurns && this.ways.takeReady(); tasks++);
  }

  private uncaught(): Executed["uncaught"] {
    const { uncaught } = this.ways.clock
    if (uncaught === undefined) return undefined
    const { error, invocation } = uncaught
    const by = invocation === undefined ? "a timer's callback" : `a timer's callback of ${this.names.nameOf(uncaught)}`
    return { error, by }
  }

  /** Whether a virtual timer could have settled an unsettled promise. */
  private waitsForTimers(): boolean {
    return this.modes.timers === "virtual" && this.outside.hasOpened() !== true
  }

  private executed(exit: Executed["exit"], left: ReadonlyArray<string>, status: RunStatus | undefined): Executed {
    lead(undefined)
    const { endless, waited, inVain, cancelled, uncontrolled } = this
    const { model, notes } = this.recording
    const { early, faults } = this.ways
    const crash = this.lives?.crash
    const trace = this.recording.told(crash?.diverged !== undefined && this.ways.replays)
    const uncaught = this.uncaught()
    return {
      exit,
      trace,
      model,
      notes,
      early,
      endless,
      waited,
      inVain,
      uncaught,
      cancelled,
      faults,
      crash,
      failed: this.lives?.failed,
      left,
      uncontrolled,
      status
    }
  }
}
