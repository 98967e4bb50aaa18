/**
 * A run as a stream of what it emits.
 */
import type * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { AnyEvent } from "./Event.ts"
import { begin, resultOf } from "./internal/runtime/run/begin.ts"
import type { Dispatcher } from "./internal/runtime/run/dispatcher.ts"
import type { StateOptions } from "./State.ts"
import type { AnyWorkflow, Given, MaybeMade, OutputsOf, RunError, RunServices, StopOf } from "./Workflow.ts"

/**
 * Runs a workflow as a Stream of its `outputs` and at last its stop event. Each time the stream is run, a run begins; it
 * is interrupted when the stream is, or when no more is taken from it. A failed run fails the stream.
 *
 * To send events to the run, or to have several readers, use `launch`.
 *
 * @example
 * ```ts
 * import { Effect, Schema, Stream } from "effect"
 * import { defineEvent, defineStep, stream, workflow } from "stepgraph"
 *
 * const Start = defineEvent("Start", { files: Schema.Number })
 * const Progress = defineEvent("Progress", { done: Schema.Number })
 * const Stop = defineEvent("Stop")
 * const flow = workflow({
 *   name: "copy", start: Start, stop: Stop, outputs: [Progress],
 *   steps: {
 *     copy: defineStep({
 *       accepts: Start, emits: [Progress, Stop],
 *       run: function*({ files }) {
 *         for (let done = 1; done <= files; done++) yield Progress({ done })
 *         yield Stop()
 *       }
 *     })
 *   }
 * })
 *
 * const program = stream(flow, { files: 2 }).pipe(Stream.map(({ _tag }) => _tag), Stream.runCollect)
 * console.log(await Effect.runPromise(program)) // => [ 'Progress', 'Progress', 'Stop' ]
 * ```
 */
export function stream<W extends AnyWorkflow, Made extends MaybeMade<W> = never>(
  flow: W,
  ...given: Given<W, StateOptions, Made>
): Stream.Stream<OutputsOf<W> | StopOf<W>, RunError<W, Made>, Exclude<RunServices<W>, Scope.Scope>> {
  const [input, options] = given as unknown as [unknown, StateOptions | undefined]
  const running = Effect.gen(function* () {
    const outputs = yield* Queue.unbounded<AnyEvent, Cause.Done>()
    const listen = (dispatcher: Dispatcher) => {
      dispatcher.onOutput = (event) => Queue.offerUnsafe(outputs, event)
    }
    const begun = yield* begin("stream", flow, input, options, listen, () => Queue.endUnsafe(outputs))
    return Stream.concat(Stream.fromQueue(outputs), Stream.fromEffect(resultOf(begun)))
  })
  return Stream.unwrap(running) as Stream.Stream<any, any, Exclude<RunServices<W>, Scope.Scope>>
}
