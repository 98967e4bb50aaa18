/**
 * The handle of a durable run.
 */
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Stream from "effect/Stream"
import { type AnyWorkflow, InvalidEvent, RunEnded, type RunStatus, type TraceEntry } from "stepgraph"
import { kindOf, nearest } from "stepgraph/internal"
import type { GraphChanged, HistoryDiverged, RunInterrupted, RunKeepsCrashing, UnknownRun } from "./Errors.ts"
import type { OutputCursor } from "./internal/answers.ts"
import type { Definition } from "./internal/definitions.ts"
import type { Runner } from "./internal/runner.ts"

/** The errors that can end a durable run besides those of its steps. */
export type DurableError = GraphChanged | HistoryDiverged | RunKeepsCrashing | RunInterrupted

/** The handle of a durable run, for any process: like that of `launch`. */
export interface DurableRun<in Input, out Output, out A, out E = never> {
  readonly id: string
  /** Sends an event to the run, once for each `key`. It is kept until a step takes it. */
  readonly send: (
    event: Input,
    options?: { readonly key?: string | undefined }
  ) => Effect.Effect<void, InvalidEvent | RunEnded | UnknownRun>
  /** Declares that no more events will be sent: from now on, `send` fails with `RunEnded`. */
  readonly closeInputs: Effect.Effect<void, UnknownRun>
  /** The workflow's `outputs` in the order of the journal, after the first `from` of them, then the stop event. */
  readonly events: (options?: {
    readonly from?: number | undefined
  }) => Stream.Stream<Output | A, E | DurableError | UnknownRun>
  /** The stop event, when the run has ended. */
  readonly result: Effect.Effect<A, E | DurableError | UnknownRun>
  /** The outcome of the run, when it has ended. */
  readonly await: Effect.Effect<Exit.Exit<A, E | DurableError>, UnknownRun>
  /** The outcome of the run, if it has ended. */
  readonly poll: Effect.Effect<Exit.Exit<A, E | DurableError> | undefined, UnknownRun>
  readonly status: Effect.Effect<RunStatus, UnknownRun>
  /** The trace of the run so far, from its journal. */
  readonly trace: Effect.Effect<ReadonlyArray<TraceEntry>, UnknownRun>
  /** Interrupts the run for good, and waits for its finalizers. */
  readonly interrupt: Effect.Effect<void, UnknownRun>
  /** Lets the run continue after `HistoryDiverged` or `RunKeepsCrashing`. */
  readonly resume: Effect.Effect<void, UnknownRun>
  /** Deletes the run if it has ended; otherwise returns `false`. */
  readonly forget: Effect.Effect<boolean>
}

export const checkId = (id: unknown): void => {
  if (typeof id !== "string" || id === "") {
    throw new TypeError(`the id of a run must be a non-empty string, not ${kindOf(id)}`)
  }
  checkText("the id of a run", id)
}

/** Databases change or refuse some strings, and then nothing that is written together with them is written. */
export const checkText = (what: string, text: string): void => {
  if (/[\0\p{Surrogate}]/u.test(text)) {
    throw new TypeError(
      `${what} must be text without NUL and without half of a surrogate pair, not ${JSON.stringify(text)}`
    )
  }
}

export const made = (def: (fields: any) => { readonly _tag: string }, fields: unknown) =>
  Effect.suspend((): Effect.Effect<{ readonly _tag: string }, InvalidEvent> => {
    try {
      return Effect.succeed(def(fields))
    } catch (error) {
      return error instanceof InvalidEvent ? Effect.fail(error) : Effect.die(error)
    }
  })

export type AnyRun = DurableRun<
  { readonly _tag: string },
  { readonly _tag: string },
  { readonly _tag: string },
  unknown
>

/** Each is sent once, by a key that a sender of events would not choose. */
export const closing = ["stepgraph: close inputs", { _tag: "close" }] as const
export const interrupting = ["stepgraph: interrupt", { _tag: "interrupt" }] as const

export const handleOf = (runner: Runner, { codec, flow }: Definition, id: string): AnyRun => {
  checkId(id)
  const { answers } = runner
  const run = answers.get(id)
  const awaited = answers.await(id) as AnyRun["await"]
  const send: AnyRun["send"] = (event, options) =>
    Effect.suspend(() => {
      const tag: unknown = (event as Partial<typeof event> | null | undefined)?._tag
      const def = flow.inputs.find((def: { readonly tag: string }) => def.tag === tag)
      if (def === undefined) return Effect.fail(notAnInput(flow, tag, event))
      const key = options?.key ?? crypto.randomUUID()
      checkText("the key of a message", key)
      return Effect.flatMap(made(def, event), (made) =>
        Effect.flatMap(runner.send(id, key, { _tag: "event", event: codec.event(made) }), (number) =>
          number !== undefined
            ? Effect.void
            : Effect.andThen(run, Effect.fail(new RunEnded({ workflow: flow.name, event: made })))
        )
      )
    })
  /** Nothing, where the run has ended already. */
  const tell = ([key, message]: typeof closing | typeof interrupting) =>
    Effect.andThen(run, Effect.asVoid(runner.send(id, key, message)))
  const events: AnyRun["events"] = ({ from = 0 } = {}) => {
    const next = (cursor: OutputCursor): Stream.Stream<{ readonly _tag: string }, any> =>
      Stream.unwrap(
        Effect.map(answers.outputs(id, cursor), ({ next: cursor, outcome, outputs }) =>
          Stream.concat(
            Stream.fromIterable(outputs),
            outcome === undefined ? Stream.suspend(() => next(cursor)) : Stream.fromEffect(outcome)
          )
        )
      )
    return next({ entries: 0, skip: from })
  }
  return {
    id,
    send,
    closeInputs: flow.inputs.length === 0 ? Effect.asVoid(run) : tell(closing),
    events,
    result: Effect.flatten(awaited),
    await: awaited,
    poll: Effect.flatMap(run, (run) => answers.outcome(run)) as AnyRun["poll"],
    status: Effect.flatMap(run, (run) => answers.status(run)),
    trace: Effect.flatMap(run, (run) => answers.trace(run)),
    interrupt: Effect.andThen(tell(interrupting), Effect.asVoid(awaited)),
    resume: Effect.andThen(run, Effect.asVoid(runner.resume(id))),
    forget: runner.store.forget(id)
  }
}

const notAnInput = (flow: AnyWorkflow, tag: unknown, event: unknown): InvalidEvent => {
  const tags: ReadonlyArray<string> = flow.inputs.map(({ tag }: { readonly tag: string }) => tag)
  const inputs = tags.length === 0 ? "which has none" : `whose inputs are ${tags.map((tag) => `'${tag}'`).join(", ")}`
  const near = typeof tag === "string" ? nearest(tag, tags) : undefined
  const meant = near === undefined ? "" : `: did you mean '${near}'?`
  const problem = `it is not an input of workflow '${flow.name}', ${inputs}${meant}`
  return new InvalidEvent({ tag: typeof tag === "string" ? tag : "unknown", input: event, problem })
}
