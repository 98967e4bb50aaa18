/**
 * The times that a durable run sleeps for. They are due when they were first said to be, whatever process they pass in.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { Fiber } from "effect/Fiber"
import type { AnyWorkflow } from "stepgraph"
import type { Call, HostedRun, Sleep } from "stepgraph/host"
import type { History } from "./history.ts"
import type { Entry } from "./journal.ts"

interface Timer {
  readonly why: Sleep["why"]
  readonly due: number
  readonly fire: () => void
  fiber: Fiber<void, unknown> | undefined
}

/** The run that sleeps. */
interface Sleeping {
  readonly of: { readonly context: Context.Context<never>; readonly flow: AnyWorkflow }
  readonly history: History
  readonly past: number | undefined
  readonly hosted: HostedRun
  fork<A, E>(effect: Effect.Effect<A, E>): Fiber<A, E>
  comes(next: { enter(): void; drop(): void }): void
  record(entry: Entry): unknown
  add(entry: Entry): void
}

export class DurableTimers {
  private readonly run: Sleeping
  private readonly dues: Map<string, number>
  private readonly timers = new Map<string, Timer>()
  /** A call that waits for an answer leaves the memory, and its time goes on. */
  private readonly asking: boolean
  private ticking = false

  constructor(run: Sleeping) {
    this.run = run
    this.dues = new Map(run.history.dues)
    this.asking = Object.values<any>(run.of.flow.steps).some(({ asks }) => asks?.length > 0)
  }

  readonly sleep = ({ id, millis, why }: Sleep, fire: () => void): (() => void) | undefined => {
    const key = `${why} ${id}`
    // Its call is settled with it, so it has no entry: it begins anew with the call, unless that has asked something.
    const ofCall = why === "attempt" || why === "grace"
    if (ofCall && (why === "grace" || !this.asking)) return undefined
    let due = this.dues.get(key)
    if (due === undefined) {
      // During a replay, its entry was lost with the process, and is made again once the run is live. Its time goes on.
      due = ((ofCall ? undefined : this.run.past) ?? this.now()) + millis
      this.dues.set(key, due)
      if (!ofCall) this.run.add({ t: key, d: due })
    }
    const timer: Timer = { why, due, fire, fiber: undefined }
    this.timers.set(key, timer)
    if (this.ticking) this.tick(key, timer)
    return () => {
      if (this.timers.get(key) === timer) this.timers.delete(key)
      if (ofCall) this.dues.delete(key)
      timer.fiber?.interruptUnsafe()
    }
  }

  /** When the `timeout` of a call has passed. */
  dueOf({ attempt, id, recovers }: Call): number | undefined {
    return recovers ? undefined : this.timers.get(`attempt ${id}/${attempt}`)?.due
  }

  /** Takes a timer out, to fire it, if nobody has cancelled it. */
  take(key: string): (() => void) | undefined {
    const timer = this.timers.get(key)
    this.timers.delete(key)
    return timer?.fire
  }

  /** From now on, time passes. */
  begin(): void {
    this.ticking = true
    for (const [key, timer] of this.timers) this.tick(key, timer)
  }

  stop(): void {
    for (const timer of this.timers.values()) timer.fiber?.interruptUnsafe()
  }

  /** The first time that is due. */
  get next(): number | undefined {
    let next: number | undefined
    for (const { due } of this.timers.values()) if (next === undefined || due < next) next = due
    return next
  }

  private now(): number {
    return Context.get(this.run.of.context, Clock.Clock).currentTimeMillisUnsafe()
  }

  private tick(key: string, timer: Timer): void {
    const { due, why } = timer
    timer.fiber = this.run.fork(this.run.hosted.sleep({ why, millis: Math.max(0, due - this.now()) }))
    timer.fiber.addObserver((exit) => {
      if (Exit.isFailure(exit)) return
      if (why === "attempt") this.take(key)?.()
      else this.run.comes({ enter: () => this.fire(key), drop: () => {} })
    })
  }

  private fire(key: string): void {
    const fire = this.take(key)
    if (fire === undefined) return
    this.run.record({ z: key })
    fire()
  }
}
