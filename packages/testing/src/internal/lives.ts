/**
 * A program whose process may die once, and then goes on in another from what its journal holds.
 *
 * A dead process stops as after `kill -9`: its fibers and virtual timers never go on, and none of its finalizers runs. Only a
 * promise that nothing here controls goes on: up to its next wait before the next process begins.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scheduler from "effect/Scheduler"
import type * as Scope from "effect/Scope"
import { Observer, type TraceEntry } from "stepgraph"
import { Host, type HostedRun, type RunHost } from "stepgraph/host"
import type { Crash, Divergence } from "./executed.ts"
import { callText, Incarnation, type Past } from "./incarnation.ts"
import type { Modes } from "./modes.ts"
import { type Message, sending, type Take } from "./sending.ts"
import type { Tell, Ways } from "./ways.ts"

/** A program whose process may die. */
export interface Mortal {
  /** Builds the services that stay. */
  readonly world: Effect.Effect<Context.Context<never>, unknown, Scope.Scope>
  /** What each process does. */
  readonly process: (connect: (take: Take) => void) => Effect.Effect<unknown, unknown>
  /** The events that others send to the run. */
  readonly sends: ReadonlyArray<Message> | undefined
  /** Whether each process makes the workflow anew. */
  readonly madeAnew: boolean
}

export const isMortal = (program: Effect.Effect<unknown, unknown> | Mortal): program is Mortal => "madeAnew" in program

/** The execution that it is part of. */
export interface Living {
  readonly hostOf: (run: HostedRun) => RunHost
  readonly observe: (entry: TraceEntry) => void
  /** Whether the process may die now. */
  readonly mayDie: () => boolean
}

/** What another process takes to begin. */
const restart = 1_000

export class Lives {
  /** Set until the next process has begun. */
  dying = false
  /** What the dead process had got to, if one has died. */
  private past: Past | undefined
  private life: Incarnation | undefined
  private services: Context.Context<never> = Context.empty()
  private fiber: Fiber.Fiber<unknown, unknown> | undefined
  private resume: ((exit: Exit.Exit<unknown, unknown>) => void) | undefined
  /** What a call asks that had asked something else. */
  private another: string | undefined
  private readonly inbox: Array<Message> = []
  private readonly again: Array<Crash["again"][number]> = []
  /** The invocations that failed by themselves. */
  readonly failed = new Set<string>()
  private readonly of: Mortal
  private readonly ways: Ways
  private readonly time: Modes["time"]
  private readonly tell: Tell | undefined
  private readonly living: Living

  constructor(of: Mortal, ways: Ways, time: Modes["time"], tell: Tell | undefined, living: Living) {
    this.of = of
    this.ways = ways
    this.time = time
    this.tell = tell
    this.living = living
  }

  /** All of it, from the making of what stays to the end of the run. */
  program(own: Context.Context<never>): Effect.Effect<unknown, unknown> {
    return Effect.scoped(
      Effect.flatMap(this.of.world, (services) =>
        Effect.callback<unknown, unknown>((resume) => {
          this.services = Context.merge(own, services)
          this.resume = resume
          this.begin()
          return Effect.suspend(() => Fiber.interrupt(this.fiber!))
        }).pipe((living) => (this.of.sends === undefined ? living : Effect.andThen(this.sent(this.of.sends), living)))
      )
    )
  }

  /** Others send their messages, whatever process is alive. */
  private sent(events: ReadonlyArray<Message>): Effect.Effect<void, never, Scope.Scope> {
    return sending(events, (message) =>
      Effect.sync(() => {
        this.inbox.push(message)
        this.life?.receive(this.inbox.length - 1)
      })
    )
  }

  private begin(): void {
    const { living, tell, ways } = this
    const life = new Incarnation(ways, this.time, this.past, this.inbox, {
      dies: (call, what) => {
        if (what === undefined && ways.delivered === call.id) return false
        return this.dies(() => `the process dies before ${what ?? "the end"} of ${callText(call)} is stored`)
      },
      repeats: (call) => {
        this.again.push({ step: call.step, call: callText(call) })
        tell?.(undefined, call.id, undefined, true)
      },
      ends: ({ id }, alone) => {
        if (alone) this.failed.add(id)
        else this.failed.delete(id)
      },
      writes: ({ id }, writes) => {
        for (const write of writes)
          if ("state" in write) tell?.(undefined, id, { cell: write.state.name, value: write.value, written: true })
      },
      live: () => {
        ways.replays = false
      }
    })
    this.life = life
    ways.replays = life.journal.replays
    const host = (run: HostedRun): RunHost => {
      const base = living.hostOf(run)
      return run.parent === null || run.parent === undefined ? life.hostOf(run, base) : base
    }
    const context = this.services.pipe(
      Context.add(Scheduler.Scheduler, life.process),
      Context.add(Clock.Clock, ways.clock.view()),
      Context.add(Observer, (entry) => {
        if (!life.process.dead) living.observe(entry)
      }),
      Context.add(Host, host)
    )
    this.fiber = Effect.runForkWith(context)(this.of.process((take) => life.connect(take)))
    this.fiber.addObserver((exit) => {
      if (life.process.dead || this.dies(() => "the process dies before it has told the result")) return
      this.resume!(exit)
    })
  }

  /** Whether the process dies here, which is a choice. */
  dies(say: () => string): boolean {
    const { life, ways } = this
    if (life === undefined || this.past !== undefined || this.dying || !this.living.mayDie()) return false
    if (!ways.happens("crash", () => `${say()}, and another goes on ${this.from}`)) return false
    life.process.dead = true
    this.dying = true
    return true
  }

  private get from(): string {
    const count = this.life!.journal.entries.length
    return count === 0 ? "from the start" : `after entry ${count} of the journal`
  }

  /** Drops all that is left of the dead process. */
  bury(): void {
    const { process } = this.life!
    this.ways.pool.bury(process)
    this.ways.clock.bury(process)
  }

  /** Whether a call that is made again asks something else than before, and nothing else can go on. */
  get diverges(): boolean {
    this.another = this.life?.another
    return this.another !== undefined
  }

  /** Begins the next process. */
  goOn(): void {
    this.dying = false
    this.past = this.life!.left(this.of.madeAnew)
    this.ways.clock.pass(restart)
    this.ways.pool.inside(() => this.begin())
  }

  /** What happened, if a process has died. */
  get crash(): Crash | undefined {
    if (this.past === undefined) return undefined
    return { entries: this.past.entries.length, again: this.again, diverged: this.diverged }
  }

  private get diverged(): Divergence | undefined {
    const missing = this.ways.replays ? this.life!.missing : undefined
    if (missing !== undefined) {
      return { how: missing, why: "something that is called again after a crash, such as `by`, gave another result" }
    }
    if (this.another === undefined) return undefined
    return { how: this.another, why: "a step that is called again after a crash asks something else" }
  }
}
