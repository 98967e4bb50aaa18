/**
 * Runs a workflow as an Effect or as a promise.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { type AnyEvent, makeEvent } from "./Event.ts"
import type { ActiveRun } from "./internal/runtime/run/composition.ts"
import { checkOptions, checkPlaces, type Door } from "./internal/runtime/run/doors.ts"
import { beginWith, execute, executeAside, interruptOn, settle } from "./internal/runtime/run/execute.ts"
import type { RunOptions } from "./State.ts"
import type { Problem } from "./Step.ts"
import type { Observer } from "./Trace.ts"
import {
  type AnyWorkflow,
  compiledOf,
  type Given,
  type MaybeMade,
  type RunError,
  type RunServices,
  type StopOf
} from "./Workflow.ts"

/**
 * Runs a workflow as one Effect. It succeeds with the first stop event, after everything else has been interrupted and
 * its finalizers have ended. Interrupting it interrupts every step and waits for them.
 *
 * Fails with `InvalidEvent` if the input does not fit the start event (never if the input is that event), with
 * `WorkflowStalled` if nothing is left to do and no stop event came, with `WorkflowTimedOut` if the workflow's
 * `timeout` has passed, and with the errors of its steps.
 *
 * @example
 * ```ts
 * import { Effect, Schema } from "effect"
 * import { defineEvent, defineStep, run, workflow } from "stepgraph"
 *
 * const Start = defineEvent("Start", { n: Schema.Number })
 * const Stop = defineEvent("Stop", { n: Schema.Number })
 * const flow = workflow({
 *   name: "double", start: Start, stop: Stop,
 *   steps: { double: defineStep({ accepts: Start, emits: Stop, run: ({ n }) => Effect.succeed(Stop({ n: 2 * n })) }) }
 * })
 *
 * const program = run(flow, { n: 21 }).pipe(Effect.map(({ n }) => n))
 * console.log(await Effect.runPromise(program)) // => 42
 * ```
 */
export function run<W extends AnyWorkflow, Made extends MaybeMade<W> = never>(
  flow: W,
  ...given: Given<W, RunOptions, Made>
): Effect.Effect<StopOf<W>, RunError<W, Made>, RunServices<W>> {
  const [input, options] = given as unknown as [unknown, RunOptions | undefined]
  const state = options?.state
  const prepare = state && ((active: ActiveRun) => beginWith(active, state))
  return begin("run", flow, input, options, prepare) as Effect.Effect<StopOf<W>, RunError<W, Made>, RunServices<W>>
}

const begin = (
  door: Door,
  flow: AnyWorkflow,
  input: unknown,
  options: unknown,
  prepare?: (run: ActiveRun) => void
): Effect.Effect<unknown, unknown> =>
  Effect.suspend(() => {
    checkOptions(door, options)
    const graph = compiledOf(flow)
    const start = makeEvent(flow.start, input)
    if (Exit.isFailure(start)) return start
    checkPlaces(door, start.value, input, options)
    return execute(graph, start.value, flow.timeout, prepare)
  })

/** The options of `runPromise`. */
export interface RunPromiseOptions extends RunOptions {
  /** Aborting it interrupts the run. */
  readonly signal?: AbortSignal | undefined
  /** Receives each entry of the run's trace. */
  readonly observe?: Observer | undefined
}

/**
 * Runs a workflow as a promise, for programs that do not use Effect. It rejects with the typed error itself.
 *
 * `signal` interrupts the run: the promise rejects with the signal's reason, after every step has been interrupted. If
 * the signal is already aborted, nothing runs.
 *
 * @example
 * ```ts
 * import { Schema } from "effect"
 * import { defineEvent, defineStep, runPromise, workflow } from "stepgraph"
 *
 * const Start = defineEvent("Start", { url: Schema.String })
 * const Stop = defineEvent("Stop", { length: Schema.Number })
 * const flow = workflow({
 *   name: "length", start: Start, stop: Stop,
 *   steps: { measure: defineStep({ accepts: Start, emits: Stop, run: async ({ url }) => Stop({ length: url.length }) }) }
 * })
 *
 * const { length } = await runPromise(flow, { url: "a/b" }, { signal: AbortSignal.timeout(1000) })
 * console.log(length) // => 3
 * ```
 */
export function runPromise<W extends AnyWorkflow>(
  flow: [RunServices<W>] extends [never] ? W : W & Problem<"this workflow needs services: provide them and use run">,
  ...given: Given<W, RunPromiseOptions>
): Promise<StopOf<W>> {
  const [input, options] = given as unknown as [any, RunPromiseOptions | undefined]
  // Hot: one promise for each run. Any exception in here rejects it.
  return new Promise((resolve, reject) => {
    checkOptions("runPromise", options)
    const signal = options?.signal
    signal?.throwIfAborted()
    const prepare = (active: ActiveRun) => {
      if (options?.state !== undefined) beginWith(active, options.state)
      if (signal !== undefined) interruptOn(signal, active)
    }
    const ended = (exit: Exit.Exit<AnyEvent, unknown>) => {
      try {
        resolve(settle(flow, exit, signal) as StopOf<W>)
      } catch (error) {
        reject(error)
      }
    }
    const graph = compiledOf(flow)
    const { start, timeout } = flow as AnyWorkflow
    const event = makeEvent(start, input)
    if (Exit.isFailure(event)) return ended(event)
    checkPlaces("runPromise", event.value, input, options)
    executeAside(graph, event.value, timeout, options?.observe, options && prepare, ended)
  })
}
