/**
 * Performs a step that has a timeout, a limit, a retry or a recovery, and any step under a host that settles calls. The chain
 * `recover(retry(limits(timeout(perform(direct)))))` is composed once for each node, with only the links it needs.
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

/** A function of the step, to call with its context. */
export type Direct = (ctx: StepContext<any, any, any>) => unknown

/** An invocation, as its guards see it. */
export interface Guarded extends Working {
  readonly run: Run
  readonly attempt: Attempt | undefined
  readonly kept: Kept
  readonly unwanted: boolean
  /** Whether it has emitted nothing, not even an empty list. */
  readonly silent: boolean
  callOf(attempt: number, recovers: boolean): Call
  /** Lets all effects of a settled attempt take place, and ends the invocation if the attempt was its last. */
  enter(settlement: Settlement): void
  /** Ends it although letting them take place threw. */
  lose(error: unknown): void
  /** The work after an attempt has begun, or none is due. */
  rests(): void
  moves(): void
  /** Keeps all effects of the next attempt for the host. */
  keepAll(): void
  /** Begins an attempt, which may hold its events until it succeeds. */
  begin(number: number, recovers: boolean, holds: boolean): Attempt
  /** Calls a function of the step, through the host if there is one, and emits its result. */
  perform(direct: Direct, ctx: StepContext<any, any, any>, recovers: boolean): Effect.Effect<void, unknown>
  /** Emits the events of the successful attempt. */
  flush(): void
}

export type Guard = (on: Guarded) => Effect.Effect<void, unknown>

const guards = new WeakMap<Node, Guard>()
const settled = new WeakMap<Node, Guard>()

/** The cached chain of a node. */
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
  const holds = retried && !settles
  const once = attempting(holds, asks.length > 0)
  let limited = step.timeout === undefined ? once : timingOut(once, Duration.fromInputUnsafe(step.timeout))
  for (const limit of limitsOf(step.limit).toReversed()) limited = limit["~guard"](limited)
  // Outside the timeout and the limits: an attempt that takes too long, or never gets its turn, is settled as any other.
  const attempt = guarded(limited)
  let guard: Guard = (on) =>
    Effect.suspend(() => {
      const number = on.attempt === undefined ? 1 : on.attempts + 1
      return attempt(on, number, false, (ctx) => step.run(on.input, ctx))
    })
  if (step.retry !== undefined) guard = retrying(guard, step.retry)
  if (step.recover !== undefined) guard = recovering(guard, guarded(once), step.recover)
  return holds ? flushing(guard) : guard
}

export type AttemptOf = (on: Guarded, number: number, recovers: boolean, direct: Direct) => Effect.Effect<void, unknown>

const attempting = (holds: boolean, asks: boolean): AttemptOf => {
  const once: AttemptOf = (on, number, recovers, direct) =>
    Effect.suspend(() => {
      const attempt = on.begin(number, recovers, holds)
      return Effect.onExit(
        Effect.suspend(() => on.perform(direct, contextOf(attempt, "somehow"), recovers)),
        () => Effect.sync(() => attempt.end())
      )
    })
  if (!asks) return once
  // An earlier attempt may have ended while it waited for an answer, without a worker.
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
    // Not `Effect.timeoutOrElse`: it creates its error only after the interruption.
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
        // The recovery's own error comes first. The error that it could not handle follows, no longer as the step's own.
        (cause: Cause.Cause<unknown>) => Effect.failCause(behind(cause, [Cause.makeDieReason(error)]))
      )
    )

const flushing =
  (guard: Guard): Guard =>
  (on) =>
    Effect.map(guard(on), () => on.flush())
