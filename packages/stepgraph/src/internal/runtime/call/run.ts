/**
 * What an invocation needs of its run.
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
  /** Whether its function is done, so that what its emissions decide has nothing to interrupt here. */
  readonly returning: boolean
  readonly ended: boolean
  readonly attempts: number
  /** The number of an emission among those of this invocation. */
  number(): number
  /** The number of an event that came too late: below zero. */
  lateNumber(): number
  /** The position of one more emission; the last one takes over its own. */
  positionOf(last: boolean): Position | undefined
  interrupt(): void
}

export interface Run {
  readonly id: string
  readonly workflow: string
  readonly host: RunHost | undefined
  /** What every fiber of the run is forked with. */
  contextOf(invocation: Working): Context.Context<never>
  readonly recorder: Recorder | undefined
  /** The fiber that stands as the interruptor of what the run interrupts. */
  readonly fiberId: number
  /** Checks that a step may emit a value, and gives the event it stands for. */
  accept(node: Node, value: unknown): AnyEvent
  /** Where its emissions go. */
  readonly router: Router
  /** Lets what an invocation sent on its own account be taken up. */
  wake(): void
  /** Does something in the ambient context in which the run was started. */
  inContext<A>(work: () => A): A
  /** Whether it has an outcome: nothing that is still emitted is wanted. */
  readonly over: boolean
  /** Whether its `timeout` is over. */
  readonly timedOut: boolean
  /** Whether that is a failure: what has been rejected in the same moment stands behind it. */
  readonly failing: boolean
  /** Sleeps for a time that the host may own. */
  sleep(why: Sleep["why"], id: () => string, duration: Duration.Duration, of?: Sleeper): Effect.Effect<void>
  hasRoom(node: Node): boolean
  awaitRoom(node: Node): Effect.Effect<void>
  /** Takes back what still waits, because a race has been decided. */
  cancel(invocation: Working): void
  /** Lets what a host has settled take effect, in one piece. */
  enter(invocation: Working, then: () => void): void
  /** An invocation is about to make a call, or to decide whether a failed one is made again: the host waits. */
  moves(): void
  /** It has made it, has come to a pause, or has ended. */
  rests(): void
  /** An invocation goes on by itself, and will call `settled`. */
  running(invocation: Working): void
  settled(invocation: Working, exit: Exit.Exit<unknown, unknown>): void
  /** Something has thrown where an invocation was to end: the run ends by it. */
  lost(invocation: Working, error: unknown): void
  /** One more call of a step waits for a limit, or one less. */
  limited(node: Node, limit: string, change: 1 | -1): void
  /** A step that may emit has returned nothing, and emitted nothing before. */
  saidNothing(node: Node): void
  fail(invocation: Working, cause: Cause.Cause<unknown>): void
  collect(invocation: Working, defs: Defs): ReadonlyArray<AnyEvent> | undefined
  /** What `collect` would give, which keeps nothing. */
  look(invocation: Working, defs: Defs): Look
  /** Records what an invocation emits when the attempt that does it is over. */
  droppedLate(from: Working, value: unknown): void
  /** Why it interrupts an invocation, asked at once: gives what the step's signal is aborted with. */
  reasonFor(invocation: Working): () => unknown
  readonly state: RunState
  /** Of a graph with a step that asks. */
  readonly questions: Questions | undefined
}
