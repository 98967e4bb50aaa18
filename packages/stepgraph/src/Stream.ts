/**
 * Runs a workflow as a stream of the events it emits.
 */
import type * as Arr from "effect/Array"
import type * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { AnyEvent } from "./Event.ts"
import { isHalfEmpty } from "./internal/runtime/flow/back-pressure.ts"
import { begin, resultOf } from "./internal/runtime/run/begin.ts"
import type { ActiveRun } from "./internal/runtime/run/composition.ts"
import { show } from "./Show.ts"
import type { RunOptions } from "./State.ts"
import type { AnyWorkflow, Given, MaybeMade, OutputsOf, RunError, RunServices, StopOf } from "./Workflow.ts"

/** The options of `stream`. */
export interface StreamOptions extends RunOptions {
  /**
   * Number of outputs that may wait for the reader before the generators and Streams that emit them pause. Default: any
   * number.
   */
  readonly capacity?: number | undefined
}

/**
 * Runs a workflow as a Stream of its `outputs`, then its stop event. Each use of the stream starts a run, and
 * interrupts it if the stream is interrupted or closed early. A failed run fails the stream.
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
  ...given: Given<W, StreamOptions, Made>
): Stream.Stream<OutputsOf<W> | StopOf<W>, RunError<W, Made>, Exclude<RunServices<W>, Scope.Scope>> {
  const [input, options] = given as unknown as [unknown, StreamOptions | undefined]
  const capacity = options?.capacity
  const running = Effect.gen(function* () {
    if (capacity !== undefined && !(Number.isSafeInteger(capacity) && capacity > 0)) {
      throw new RangeError(`capacity is ${show(capacity)}: give a positive whole number, or leave it out`)
    }
    const outputs = yield* Queue.unbounded<AnyEvent, Cause.Done>()
    const listen = (active: ActiveRun) => {
      active.router.onOutput = (event) => Queue.offerUnsafe(outputs, event)
      if (capacity === undefined) return
      active.backPressure.outlet = {
        get full() {
          return Queue.sizeUnsafe(outputs) >= capacity
        }
      }
    }
    const begun = yield* begin("stream", flow, input, options, listen, () => Queue.endUnsafe(outputs))
    const events = capacity === undefined ? Stream.fromQueue(outputs) : oneByOne(outputs, capacity, begun.active)
    return Stream.concat(events, Stream.fromEffect(resultOf(begun)))
  })
  return Stream.unwrap(running) as Stream.Stream<any, any, Exclude<RunServices<W>, Scope.Scope>>
}

/** `Stream.fromQueue` would take all that waits at once, and so make room for as many more. */
const oneByOne = (
  outputs: Queue.Dequeue<AnyEvent, Cause.Done>,
  capacity: number,
  active: ActiveRun
): Stream.Stream<AnyEvent> => {
  const take = Effect.map(Queue.take(outputs), (event): Arr.NonEmptyReadonlyArray<AnyEvent> => {
    if (isHalfEmpty(Queue.sizeUnsafe(outputs), capacity)) active.activate({ _tag: "output-taken" })
    return [event]
  })
  return Stream.fromPull(Effect.succeed(take))
}
