/**
 * Live runs: send events, read outputs, ask for the status, interrupt.
 *
 * Longer than other modules: both kinds of handle share one start, and a third is documentation.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as PubSub from "effect/PubSub"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { Take } from "effect/Take"
import { meant, quoted } from "./Advice.ts"
import { InvalidEvent, RunEnded } from "./Errors.ts"
import { type AnyEvent, makeEvent } from "./Event.ts"
import { asyncIterable } from "./internal/runtime/run/async-iterable.ts"
import { type Begun, begin, resultOf } from "./internal/runtime/run/begin.ts"
import type { ActiveRun } from "./internal/runtime/run/composition.ts"
import { checkOptions, type Door } from "./internal/runtime/run/doors.ts"
import { interruptOn, observed, settle } from "./internal/runtime/run/execute.ts"
import type { RunStatus } from "./RunStatus.ts"
import type { RunOptions } from "./State.ts"
import type { Problem } from "./Step.ts"
import type { Observer } from "./Trace.ts"
import {
  type AnyWorkflow,
  compiledOf,
  type Given,
  type InputsOf,
  type MaybeMade,
  type OutputsOf,
  type RunServices,
  type StopOf,
  type Unfit,
  type WorkflowError
} from "./Workflow.ts"

export type { RunStatus }

/** The options of `launch`. */
export interface LaunchOptions extends RunOptions {
  /**
   * How many of the latest events to keep for late readers. Each keeps its own memory until the handle is released.
   * Default: all of them.
   */
  readonly keep?: number | undefined
}

/** A run that lives as long as its scope, with the types of its inputs, outputs, stop event and errors. */
export interface Run<in Input, out Output, out A, out E = never> {
  readonly id: string
  /**
   * Sends an event to the run: one of the workflow's `inputs`. It is kept until a step takes it.
   *
   * Fails with `InvalidEvent` if the event is not an input or does not fit its schema, and with `RunEnded` if the run
   * has ended or its inputs are closed. Neither disturbs the run.
   */
  readonly send: (event: Input) => Effect.Effect<void, InvalidEvent | RunEnded>
  /** Declares that no more events will be sent. If nothing else can happen, the run then stalls. */
  readonly closeInputs: Effect.Effect<void>
  /**
   * The workflow's `outputs`, then the stop event. Each reader gets all events, at its own pace; a failed run fails the
   * stream. With a bound on `keep`, a late reader gets only that many of the earlier outputs.
   */
  readonly events: Stream.Stream<Output | A, E>
  /** The stop event, when the run has ended. */
  readonly result: Effect.Effect<A, E>
  /** The outcome of the run, when it has ended: like `result`, without failing. */
  readonly await: Effect.Effect<Exit.Exit<A, E>>
  /** Interrupts the run and waits for its finalizers. */
  readonly interrupt: Effect.Effect<void>
  /** The queued and running work, and the waiting intakes. */
  readonly status: Effect.Effect<RunStatus>
}

/** The type of `launch`'s result for a workflow: `let live: RunOf<typeof flow>`. */
export type RunOf<W> = Run<InputsOf<W>, OutputsOf<W>, StopOf<W>, WorkflowError<W>>

/**
 * Starts a run and returns a handle to it. Closing the scope interrupts the run.
 *
 * While its `inputs` are open, a waiting run is not stalled, since an event may still be sent. If inputs can lead to a
 * `gather`, it runs when they are closed.
 *
 * @example
 * ```ts
 * import { Effect, Schema } from "effect"
 * import { defineEvent, defineStep, join, launch, workflow } from "stepgraph"
 *
 * const Draft = defineEvent("Draft", { text: Schema.String })
 * const Approval = defineEvent("Approval", { by: Schema.String })
 * const Published = defineEvent("Published", { text: Schema.String })
 * const flow = workflow({
 *   name: "publish", start: Draft, stop: Published, inputs: [Approval],
 *   steps: {
 *     publish: defineStep({
 *       accepts: join([Draft, Approval]), emits: Published,
 *       run: ([draft, approval]) => Published({ text: `${draft.text}, approved by ${approval.by}` })
 *     })
 *   }
 * })
 *
 * const program = Effect.gen(function*() {
 *   const live = yield* launch(flow, { text: "News" })
 *   yield* live.send(Approval({ by: "Ada" }))
 *   return yield* live.result
 * }).pipe(Effect.scoped)
 *
 * console.log((await Effect.runPromise(program)).text) // => News, approved by Ada
 * ```
 */
export function launch<W extends AnyWorkflow, Made extends MaybeMade<W> = never>(
  flow: W,
  ...given: Given<W, LaunchOptions, Made>
): Effect.Effect<
  Run<InputsOf<W>, OutputsOf<W>, StopOf<W>, WorkflowError<W>>,
  Unfit<W, Made>,
  RunServices<W> | Scope.Scope
> {
  const [input, options] = given as unknown as [unknown, LaunchOptions | undefined]
  return Effect.map(beginAloud("launch", flow, input, options, undefined), (begun) => {
    const { active, fiber, outputs } = begun
    const result = resultOf(begun)
    return {
      id: active.id,
      send: (event: unknown) => send(flow, active, event),
      closeInputs: Effect.sync(() => active.inputs?.close()),
      events: Stream.concat(outputs, Stream.fromEffect(result)),
      result,
      await: Effect.exit(result),
      interrupt: Fiber.interrupt(fiber),
      status: Effect.sync(() => active.status())
    }
  }) as Effect.Effect<any, any, RunServices<W> | Scope.Scope>
}

/** A started run; both kinds of handle are built on it. */
interface Aloud extends Begun {
  /** They end with the run, however it ends. */
  readonly outputs: Stream.Stream<AnyEvent>
}

const beginAloud = (
  door: Door,
  flow: AnyWorkflow,
  input: unknown,
  options: LaunchOptions | undefined,
  signal: AbortSignal | undefined
): Effect.Effect<Aloud, InvalidEvent, Scope.Scope> => {
  const keep = options?.keep ?? Number.POSITIVE_INFINITY
  if (!(keep === Number.POSITIVE_INFINITY || (Number.isSafeInteger(keep) && keep >= 0))) {
    return Effect.die(new RangeError(`keep is ${keep}: give a whole number of at least 0, or leave it out`))
  }
  return Effect.flatMap(PubSub.unbounded<Take<AnyEvent>>({ replay: keep }), (published) => {
    const prepare = (active: ActiveRun) => {
      const { onOutput } = active.router
      active.router.onOutput = (event) => {
        onOutput?.(event)
        PubSub.publishUnsafe(published, [event])
      }
      if (compiledOf(flow).inputs.size > 0) active.openInputs()
      if (signal !== undefined) interruptOn(signal, active)
    }
    const begun = begin(door, flow, input, options, prepare, () => PubSub.endUnsafe(published, Exit.void))
    return Effect.map(begun, (begun) => ({ ...begun, outputs: Stream.fromPubSubTake(published) }))
  })
}

/** Always checked: the event comes from outside, even if it looks like one of ours. */
const send = (flow: AnyWorkflow, active: ActiveRun, event: unknown): Effect.Effect<void, InvalidEvent | RunEnded> =>
  Effect.suspend(() => {
    const tag = tagOf(event)
    const route = tag === undefined ? undefined : compiledOf(flow).inputs.get(tag)
    if (route === undefined) return Effect.fail(notAnInput(flow, tag, event))
    return Effect.flatMap(makeEvent(route.def, event), (event: AnyEvent) =>
      active.inputs!.send(route, event) ? Effect.void : Effect.fail(new RunEnded({ workflow: flow.name, event }))
    )
  })

/** The tag of any value; even a throwing getter does no harm. */
const tagOf = (event: unknown): string | undefined => {
  try {
    const { _tag } = event as { readonly _tag: unknown }
    return typeof _tag === "string" ? _tag : undefined
  } catch {
    return undefined
  }
}

const notAnInput = (flow: AnyWorkflow, tag: string | undefined, event: unknown): InvalidEvent => {
  const tags = flow.inputs.map(({ tag }: { readonly tag: string }) => tag)
  const inputs = tags.length === 0 ? "which has none" : `whose inputs are ${quoted(tags)}`
  const near = meant(event, tags)
  const problem = `it is not an input of workflow '${flow.name}', ${inputs}${near === "" ? "" : `: ${near}`}`
  return new InvalidEvent({ tag: tag ?? "unknown", input: event, problem })
}

/** A handle to a run, for programs that do not use Effect. */
export interface RunHandle<in Input, out Output, out A> extends AsyncDisposable {
  readonly id: string
  /** Sends an event to the run. Rejects with `InvalidEvent` or `RunEnded`. */
  readonly send: (event: Input) => Promise<void>
  /** Declares that no more events will be sent. */
  readonly closeInputs: () => Promise<void>
  /**
   * The workflow's `outputs`, then the stop event; each iteration gets all of them. A failed run throws. Several
   * consumers may share one iterator: calls queue up, as with an async generator, and each event goes to one of them.
   */
  readonly events: AsyncIterable<Output | A>
  /**
   * The stop event, when the run has ended. If a run fails, the failure is an unhandled rejection unless you have read
   * `result` or `events`, or interrupted the run on purpose.
   */
  readonly result: Promise<A>
  /** Interrupts the run, and resolves when none of its work is running. */
  readonly interrupt: () => Promise<void>
  readonly status: () => Promise<RunStatus>
}

/** The type of `launchPromise`'s result for a workflow: `let live: RunHandleOf<typeof flow>`. */
export type RunHandleOf<W> = RunHandle<InputsOf<W>, OutputsOf<W>, StopOf<W>>

/** The options of `launchPromise`. */
export interface LaunchPromiseOptions extends LaunchOptions {
  /** Aborting it interrupts the run. */
  readonly signal?: AbortSignal | undefined
  /** Receives each entry of the run's trace. */
  readonly observe?: Observer | undefined
}

/**
 * Starts a run and returns a handle to it, for programs that do not use Effect. Rejects with `InvalidEvent` if the
 * input does not fit the start event. Disposing of the handle interrupts the run.
 *
 * @example
 * ```ts
 * import { Schema } from "effect"
 * import { defineEvent, defineStep, launchPromise, workflow } from "stepgraph"
 *
 * const Start = defineEvent("Start", { files: Schema.Number })
 * const Progress = defineEvent("Progress", { done: Schema.Number })
 * const Stop = defineEvent("Stop")
 * const flow = workflow({
 *   name: "copy", start: Start, stop: Stop, outputs: [Progress],
 *   steps: {
 *     copy: defineStep({
 *       accepts: Start, emits: [Progress, Stop],
 *       run: async function*({ files }) {
 *         for (let done = 1; done <= files; done++) yield Progress({ done })
 *         yield Stop()
 *       }
 *     })
 *   }
 * })
 *
 * const live = await launchPromise(flow, { files: 2 })
 * const seen: Array<string> = []
 * for await (const event of live.events) seen.push(event._tag)
 * console.log(seen) // => [ 'Progress', 'Progress', 'Stop' ]
 * ```
 */
export async function launchPromise<W extends AnyWorkflow>(
  flow: [RunServices<W>] extends [never] ? W : W & Problem<"this workflow needs services: provide them and use launch">,
  ...given: Given<W, LaunchPromiseOptions>
): Promise<RunHandle<InputsOf<W>, OutputsOf<W>, StopOf<W>>> {
  const [input, options] = given as unknown as [any, LaunchPromiseOptions | undefined]
  checkOptions("launchPromise", options)
  const signal = options?.signal
  signal?.throwIfAborted()
  const launching = observed(beginAloud("launchPromise", flow as AnyWorkflow, input, options, signal), options?.observe)
  const begun = await Effect.runPromise(Scope.provide(launching, Scope.makeUnsafe()))
  const { active, fiber, outputs } = begun
  const ended = resultOf(begun)
  // Stored, so every reader gets the same error.
  let outcome: Exit.Exit<AnyEvent, unknown> | undefined
  const settled = Effect.flatMap(Effect.exit(ended), (exit) => (outcome ??= settledAs(flow, exit, signal)))
  const result = Effect.runPromise(settled) as Promise<StopOf<W>>
  /** From then on, a failure is not an unhandled rejection. */
  const letGo = () => void result.catch(() => {})
  if (signal !== undefined) {
    void Effect.runPromiseExit(ended).then((exit) => {
      if (signal.aborted && Exit.isFailure(exit) && Cause.hasInterruptsOnly(exit.cause)) letGo()
    })
  }
  const interrupt = () => {
    // An earlier failure is not an interruption on purpose.
    if (!active.outcome.reached) letGo()
    return Effect.runPromise(Fiber.interrupt(fiber))
  }
  const events = asyncIterable(Stream.concat(outputs, Stream.fromEffect(settled))) as AsyncIterable<any>
  return {
    id: active.id,
    send: (event) => Effect.runPromise(send(flow, active, event)),
    closeInputs: async () => active.inputs?.close(),
    // Reading either of the two is enough to notice a failure.
    get events() {
      letGo()
      return events
    },
    get result() {
      letGo()
      return result
    },
    interrupt,
    status: async () => active.status(),
    [Symbol.asyncDispose]: interrupt
  }
}

const settledAs = (
  flow: AnyWorkflow,
  exit: Exit.Exit<AnyEvent, unknown>,
  signal: AbortSignal | undefined
): Exit.Exit<AnyEvent, unknown> => {
  try {
    return Exit.succeed(settle(flow, exit, signal))
  } catch (error) {
    return Exit.fail(error)
  }
}
