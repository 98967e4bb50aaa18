/**
 * How a step with a timeout, a limit, a retry or a recovery is performed, and any step under a host that settles calls: one chain for
 * each node, `recover(retry(limits(timeout(perform(direct)))))`, of which only what is needed is there.
 */
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { StepTimedOut } from "../../../Errors.ts"
import type { Call, Settlement } from "../../../Host.ts"
import { limitsOf } from "../../../Limit.ts"
import type { StepContext } from "../../../Step.ts"
import type { Node } from "../../graph/graph.ts"
import { behind } from "../flow/causes.ts"
import { type Attempt, contextOf } from "./attempt.ts"
import type { Kept } from "./outbox.ts"
import { retrying } from "./retry.ts"
import type { Run, Working } from "./run.ts"
import { settling } from "./settling.ts"

/** A function of the step, called with its context. */
export type Direct = (ctx: StepContext<any, any, any>) => unknown

/** What an attempt keeps until it is over, of all that it does. */
export type Keeps = "nothing" | "events" | "all"

/** An invocation, as its guards see it. */
export interface Guarded extends Working {
  readonly run: Run
  readonly attempt: Attempt | undefined
  readonly kept: Kept
  readonly unwanted: boolean
  /** Whether it has emitted nothing, not even an empty list. */
  readonly silent: boolean
  callOf(attempt: number, recovers: boolean): Call
  /** Lets all that a settled attempt did take effect, and ends the invocation where it was its last. */
  enter(settlement: Settlement): void
  /** What comes after a failed attempt has begun, if it was to begin. */
  rests(): void
  moves(): void
  /** Begins an attempt, which keeps what it does until it is over. */
  begin(number: number, keeps: Keeps): Attempt
  /** Calls a function of the step, by way of its host, and emits what that returns. */
  perform(direct: Direct, ctx: StepContext<any, any, any>, recovers: boolean): Effect.Effect<void, unknown>
  /** Emits what has been kept of the attempt that succeeded. */
  flush(): void
}

export type Guard = (on: Guarded) => Effect.Effect<void, unknown>

const guards = new WeakMap<Node, Guard>()
const settled = new WeakMap<Node, Guard>()

/** The chain of a node, made once. */
export const guardOf = (node: Node, settles: boolean): Guard => {
  const made = settles ? settled : guards
  let guard = made.get(node)
  if (guard === undefined) {
    guard = compose(node, settles)
    made.set(node, guard)
  }
  return guard
}

const compose = ({ asks, step }: Node, settles: boolean): Guard => {
  const guarded = (attempt: AttemptOf) => (settles ? settling(attempt) : attempt)
  const retried = step.retry !== undefined || step.recover !== undefined
  const keeps = settles ? "all" : retried ? "events" : "nothing"
  const once = attempting(keeps, asks.length > 0)
  // Outside of a timeout: that an attempt has taken too long is what it is settled with.
  const attempt = guarded(step.timeout === undefined ? once : timingOut(once, Duration.fromInputUnsafe(step.timeout)))
  let guard: Guard = (on) =>
    Effect.suspend(() => {
      const number = on.attempt === undefined ? 1 : on.attempts + 1
      return attempt(on, number, false, (ctx) => step.run(on.input, ctx))
    })
  for (const limit of limitsOf(step.limit).toReversed()) guard = limit["~guard"](guard)
  if (step.retry !== undefined) guard = retrying(guard, step.retry)
  if (step.recover !== undefined) guard = recovering(guard, guarded(once), step.recover)
  return keeps === "events" ? flushing(guard) : guard
}

type AttemptOf = (on: Guarded, number: number, recovers: boolean, direct: Direct) => Effect.Effect<void, unknown>

const attempting = (keeps: Keeps, asks: boolean): AttemptOf => {
  const once: AttemptOf = (on, number, recovers, direct) =>
    Effect.suspend(() => {
      const attempt = on.begin(number, keeps)
      return Effect.onExit(
        Effect.suspend(() => on.perform(direct, contextOf(attempt, "somehow"), recovers)),
        () => Effect.sync(() => attempt.end())
      )
    })
  if (!asks) return once
  // One that waited for an answer until it was over has no worker.
  return (on, number, recovers, direct) => {
    const worker = Effect.suspend(() => {
      on.rests()
      return on.run.questions!.worker(on)
    })
    return Effect.andThen(worker, once(on, number, recovers, direct))
  }
}

const timingOut =
  (once: AttemptOf, duration: Duration.Duration): AttemptOf =>
  (on, number, recovers, direct) => {
    const { run, node, input } = on
    const after = Duration.format(duration)
    const props = { workflow: run.workflow, step: node.name, input, after }
    // As `Effect.timeoutOrElse`, which makes its error only when what took too long has been interrupted.
    const sleep = run.sleep("attempt", () => `${on.id}/${number}`, duration)
    const limit = Effect.flatMap(sleep, () => {
      const error = new StepTimedOut(props)
      on.attempt?.interrupt(() => error)
      return Effect.fail(error)
    })
    return Effect.raceFirst(once(on, number, recovers, direct), limit)
  }

const recovering =
  (guard: Guard, attempt: AttemptOf, recover: NonNullable<Node["step"]["recover"]>): Guard =>
  (on) =>
    Effect.catch(guard(on), (error) =>
      Effect.catchCause(
        attempt(on, on.attempts, true, (ctx) => recover(error, on.input, ctx)),
        // The recovery's own error first, what it could not recover from behind it: that is no error of the step any more.
        (cause: Cause.Cause<unknown>) => Effect.failCause(behind(cause, [Cause.makeDieReason(error)]))
      )
    )

const flushing =
  (guard: Guard): Guard =>
  (on) =>
    Effect.map(guard(on), () => on.flush())
