/**
 * Who reads the runs that chats have started: one that nobody reads any more is interrupted after a while.
 */
import * as Effect from "effect/Effect"
import * as FiberMap from "effect/FiberMap"
import type * as Scope from "effect/Scope"
import type { ServedRun } from "../Runs.ts"

/** How long a run waits for its first reader, in milliseconds. */
const untilRead = 10_000

export class Readers {
  /** The number of readers of each run that a chat has started, until it has ended. */
  private readonly counts = new Map<string, number>()
  private readonly leaving: FiberMap.FiberMap<string>
  private readonly fork: (key: string, effect: Effect.Effect<void>) => void
  private readonly linger: number

  private constructor(
    linger: number,
    leaving: FiberMap.FiberMap<string>,
    fork: (key: string, effect: Effect.Effect<void>) => void
  ) {
    this.linger = linger
    this.leaving = leaving
    this.fork = fork
  }

  /** `linger` is the time that a run goes on without readers, in milliseconds. */
  static readonly make = (linger: number): Effect.Effect<Readers, never, Scope.Scope> =>
    Effect.gen(function* () {
      const leaving = yield* FiberMap.make<string>()
      const fork = yield* FiberMap.runtime(leaving)<never>()
      return new Readers(linger, leaving, fork)
    })

  /** A run that a chat has just started. */
  own(run: ServedRun): void {
    if (this.linger === Number.POSITIVE_INFINITY) return
    this.counts.set(run.summary.id, 0)
    // Whoever asked for it may be gone before its stream begins.
    this.wait(run, Math.max(this.linger, untilRead))
  }

  enter(run: ServedRun): void {
    const { id } = run.summary
    const count = this.counts.get(id)
    if (count === undefined) return
    this.counts.set(id, count + 1)
    Effect.runFork(FiberMap.remove(this.leaving, id))
  }

  leave(run: ServedRun): void {
    const { id } = run.summary
    const count = this.counts.get(id)
    if (count === undefined) return
    this.counts.set(id, count - 1)
    if (count === 1) this.wait(run, this.linger)
  }

  private wait(run: ServedRun, millis: number): void {
    const { id } = run.summary
    const interrupt = Effect.suspend(() => {
      if (this.counts.get(id) !== 0) return Effect.void
      this.counts.delete(id)
      return run.interrupt
    })
    const leave = Effect.andThen(Effect.sleep(millis), interrupt)
    const ended = Effect.andThen(
      run.ended,
      Effect.sync(() => void this.counts.delete(id))
    )
    this.fork(id, Effect.raceFirst(leave, ended))
  }
}
