/**
 * The run, as its invocations see it.
 */
import type * as Cause from "effect/Cause"
import type * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import type { AnyEvent, Defs } from "../../../Event.ts"
import type { RunHost, Sleep } from "../../../Host.ts"
import type { Node } from "../../graph/graph.ts"
import type { Router } from "../flow/router.ts"
import type { Sleeper } from "../flow/timers.ts"
import type { Look } from "../intake/by-hand.ts"
import type { Delivery } from "../scope/delivery.ts"
import type { Position } from "../scope/position.ts"
import type { Recorder } from "../trace/recorder.ts"
import type { Questions } from "./questions.ts"
import type { RunState } from "./state.ts"

/** A delivery that is at work. */
export interface Working extends Delivery {
  cancelled: boolean
  releasePosition(): void
  /** Whether its function is done, so that a race decided by its emissions need not interrupt it. */
  readonly returning: boolean
  readonly ended: boolean
  readonly attempts: number
  /** The number of the next emission within this invocation. */
  number(): number
  /** The number of an event that came too late: below zero. */
  lateNumber(): number
  /** Creates the position of the next emission; the last one takes over the invocation's own. */
  positionOf(last: boolean): Position | undefined
  interrupt(): void
}

export interface Run {
  readonly id: string
  readonly workflow: string
  readonly host: RunHost | undefined
  /** The context of the run's fibers. */
  contextOf(invocation: Working): Context.Context<never>
  readonly recorder: Recorder | undefined
  /** The interruptor in every interruption by the run. */
  readonly fiberId: number
  /** Checks that a step may emit a value, and returns the event it stands for. */
  accept(node: Node, value: unknown): AnyEvent
  /** Routes its emissions. */
  readonly router: Router
  /** Schedules a drain after `ctx.send`. */
  wake(): void
  /** Runs a function in the ambient context in which the run was started. */
  inContext<A>(work: () => A): A
  /** Whether it has an outcome, so that later emissions are dropped. */
  readonly over: boolean
  /** Whether its `timeout` has passed. */
  readonly timedOut: boolean
  /** Whether that is a failure: rejections of the same moment are then appended to it. */
  readonly failing: boolean
  /** The time of what happens now. */
  now(): number
  /** Sleeps on the host's clock if it has one. */
  sleep(why: Sleep["why"], id: () => string, duration: Duration.Duration, of?: Sleeper): Effect.Effect<void>
  hasRoom(node: Node): boolean
  awaitRoom(node: Node): Effect.Effect<void>
  /** Cancels a waiting delivery, because a race has been decided. */
  cancel(invocation: Working): void
  /** Lets a settled call take effect, in one piece. */
  enter(invocation: Working, then: () => void): void
  /** An invocation is about to make a call, or to decide on a retry: the host waits. */
  moves(): void
  /** It has made the call, paused or ended. */
  rests(): void
  /** An invocation is working, and will call `settled`. */
  running(invocation: Working): void
  settled(invocation: Working, exit: Exit.Exit<unknown, unknown>): void
  /** Ending an invocation has thrown, which ends the run. */
  lost(invocation: Working, error: unknown): void
  /** Counts a call of a step that waits for a limit, up or down. */
  limited(node: Node, limit: string, change: 1 | -1): void
  /** A step that may emit has emitted and returned nothing. */
  saidNothing(node: Node): void
  fail(invocation: Working, cause: Cause.Cause<unknown>): void
  collect(invocation: Working, defs: Defs): ReadonlyArray<AnyEvent> | undefined
  /** The result that `collect` would give now. Keeps nothing. */
  look(invocation: Working, defs: Defs): Look
  /** Records an event that is dropped because its attempt is over. */
  droppedLate(from: Working, value: unknown): void
  /** Decides why it interrupts an invocation, and returns the maker of the signal's abort reason. */
  reasonFor(invocation: Working): () => unknown
  readonly state: RunState
  /** Set if a step of the graph asks. */
  readonly questions: Questions | undefined
}
