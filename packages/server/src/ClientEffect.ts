/**
 * Runs on a server, as if they were here, for programs that use Effect. The promise client makes the requests.
 *
 * @module client-effect
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import {
  type AnyWorkflow,
  type InputsOf,
  InvalidEvent,
  NoAnswer,
  type OutputsOf,
  RunDefect,
  RunEnded,
  type RunStatus,
  type StartOf,
  StepDefect,
  StepRejected,
  StepTimedOut,
  type StopOf,
  type WorkflowError,
  WorkflowStalled,
  WorkflowTimedOut
} from "stepgraph"
import * as Client from "./Client.ts"
import { EventsDropped, RequestFailed, RunFailed, ServerUnreachable } from "./internal/calling.ts"
import type { RunDetail } from "./Runs.ts"

export { EventsDropped, RequestFailed, RunFailed, ServerUnreachable } from "./internal/calling.ts"

/** A request has failed, not the run. */
export type CallError = RequestFailed | ServerUnreachable

/** Of what a step or a run fails with, and a handle refuses. */
const failures = [
  InvalidEvent,
  RunEnded,
  NoAnswer,
  StepRejected,
  StepTimedOut,
  WorkflowStalled,
  WorkflowTimedOut
] as const
/** These are bugs: they come back as defects. */
const defects = [StepDefect, RunDefect] as const
type Known = InstanceType<(typeof failures)[number]>

/** An error of a run: as its class has it if the client knows the class, and otherwise as JSON brings it. */
export type RemoteError<E, Listed = never> = E extends Known | Listed ? E : Client.ErrorFields<E>

export interface ConnectOptions<Listed = never> extends Client.ConnectOptions {
  /**
   * The workflow's own errors that come back as what they are, such as classes of `Schema.TaggedError`. Others have their tag
   * and fields, but are not of their class.
   */
  readonly errors?: ReadonlyArray<Schema.Codec<Listed, any>> | undefined
}

export interface StartOptions {
  /** A second start with the same key gives the first run. Default: a random one for each time that the Effect runs. */
  readonly key?: string | undefined
}

export interface SendOptions {
  /** A second event with the same key is not sent. Default: a random one for each time that the Effect runs. */
  readonly key?: string | undefined
}

/** A workflow on a server. */
export interface Connection<W, Listed = never> {
  /** Starts a run, which then goes on by itself. */
  readonly start: (
    input: Client.Fields<StartOf<W>>,
    options?: StartOptions
  ) => Effect.Effect<RemoteRun<W, Listed>, InvalidEvent | CallError>
  /**
   * Starts a run that closing the scope interrupts, as `launch` does. The start itself waits for the server's answer even if it is
   * interrupted, or there would be a run that nobody knows.
   */
  readonly launch: (
    input: Client.Fields<StartOf<W>>,
    options?: StartOptions
  ) => Effect.Effect<RemoteRun<W, Listed>, InvalidEvent | CallError, Scope.Scope>
  /** The handle of a run that was started anywhere. It sends no request yet. */
  readonly run: (id: string) => RemoteRun<W, Listed>
}

/**
 * The handle of a run on a server: that of `launch`. Each member may also fail with `RequestFailed` or `ServerUnreachable`, and
 * interrupting it ends its request.
 */
export interface RemoteRun<W, Listed = never> {
  readonly id: string
  /** Sends an event to the run, once for each `key`. */
  readonly send: (
    event: Client.Wire<InputsOf<W>>,
    options?: SendOptions
  ) => Effect.Effect<void, InvalidEvent | RunEnded | CallError>
  /** Declares that no more events will be sent. */
  readonly closeInputs: Effect.Effect<void, CallError>
  /**
   * The workflow's `outputs`, then the stop event. Each reader gets all of them, from the first on, and goes on after a broken
   * connection. A failed run fails the stream.
   */
  readonly events: Stream.Stream<
    Client.Wire<OutputsOf<W> | StopOf<W>>,
    RemoteError<WorkflowError<W>, Listed> | EventsDropped | CallError
  >
  /** The stop event, when the run has ended. */
  readonly result: Effect.Effect<Client.Wire<StopOf<W>>, RemoteError<WorkflowError<W>, Listed> | CallError>
  /** The outcome of the run, when it has ended: like `result`, without failing with the run's error. */
  readonly await: Effect.Effect<Exit.Exit<Client.Wire<StopOf<W>>, RemoteError<WorkflowError<W>, Listed>>, CallError>
  /** Interrupts the run, and waits for its finalizers. */
  readonly interrupt: Effect.Effect<void, CallError>
  readonly status: Effect.Effect<RunStatus, CallError>
  /** Everything that the server knows about the run. */
  readonly detail: Effect.Effect<RunDetail, CallError>
}

/** Makes an error of its class from what came as JSON, if one of these fits. */
const revival = (listed: ReadonlyArray<Schema.Codec<unknown, any>>) => {
  const decoders = [...listed, ...failures, ...defects].map((schema) =>
    Schema.decodeUnknownOption(Schema.toCodecJson(schema as Schema.Codec<unknown, any>))
  )
  return (error: RunFailed, event?: unknown): unknown => {
    const json = { ...error, message: error.message, ...(event === undefined ? undefined : { event, input: event }) }
    for (const decode of decoders) {
      const made = decode(json)
      if (Option.isSome(made)) return made.value
    }
    return error
  }
}

/** An event as it was sent, if it could be. */
const sent = (event: unknown): unknown => {
  try {
    return JSON.parse(JSON.stringify(event))
  } catch {
    return undefined
  }
}

const isDefect = (error: unknown): boolean => defects.some((defect) => error instanceof defect)

/** What the user's own code threw, such as a function that gives tokens, is not for the user to handle. */
const failed = (error: unknown): Effect.Effect<never, any> =>
  error instanceof RequestFailed || error instanceof ServerUnreachable || error instanceof EventsDropped
    ? Effect.fail(error)
    : Effect.die(error)

const calling = <A>(call: (signal: AbortSignal) => Promise<A>): Effect.Effect<A, any> =>
  Effect.catch(
    Effect.tryPromise({ try: call, catch: (error) => error }),
    (error): Effect.Effect<never, any> => (error instanceof RunFailed ? Effect.fail(error) : failed(error))
  )

/**
 * Connects to a workflow on a server, for programs that use Effect.
 *
 * @example
 * ```ts no-run
 * import { Effect, Schema, Stream } from "effect"
 * import { connect } from "@stepgraph/server/client-effect"
 * import { defineEvent, defineStep, workflow } from "stepgraph"
 *
 * // On the server. Elsewhere, write `import type { flow } from "./flow.ts"`.
 * const Start = defineEvent("Start", { name: Schema.String })
 * const Stop = defineEvent("Stop", { greeting: Schema.String })
 * const greet = defineStep({ accepts: Start, emits: Stop, run: ({ name }) => Stop({ greeting: `Hello, ${name}!` }) })
 * const flow = workflow({ name: "greet", start: Start, stop: Stop, steps: { greet } })
 *
 * const remote = connect<typeof flow>({ url: "http://localhost:4270", workflow: "greet", token: "a-long-secret" })
 * const program = Effect.gen(function* () {
 *   const run = yield* remote.launch({ name: "Ada" })
 *   yield* Stream.runForEach(run.events, (event) => Effect.log(event))
 *   return yield* run.result
 * }).pipe(
 *   Effect.scoped,
 *   Effect.catchTag("ServerUnreachable", () => Effect.succeed({ _tag: "Stop", greeting: "nobody is there" } as const))
 * )
 * ```
 */
export const connect = <W extends AnyWorkflow, Listed = never>({
  errors = [],
  ...options
}: ConnectOptions<Listed>): Connection<W, Listed> => {
  const client = Client.connect<W>(options)
  let reviving: ReturnType<typeof revival> | undefined
  // Most clients never see an error.
  const revived: ReturnType<typeof revival> = (error, event) => (reviving ??= revival(errors))(error, event)
  const run = (id: string) => remoteRun(client.run(id), revived)
  const start = (input: Client.Fields<StartOf<W>>, { key }: StartOptions = {}) =>
    Effect.mapBoth(
      calling((signal) => client.start(input, { key, signal })),
      {
        onSuccess: ({ id }) => run(id),
        onFailure: (error) => (error instanceof RunFailed ? revived(error, sent(input)) : error)
      }
    )
  return {
    run,
    start,
    launch: (input, options) =>
      Effect.flatMap(Effect.scope, ({ state }) =>
        state._tag === "Closed"
          ? Effect.interrupt
          : Effect.acquireRelease(start(input, options), ({ interrupt }) => Effect.ignore(interrupt))
      )
  } as Connection<W, Listed>
}

const remoteRun = (
  remote: Client.RemoteRun<any>,
  revived: (error: RunFailed, event?: unknown) => unknown
): RemoteRun<any, any> => {
  const causeOf = (error: RunFailed): Cause.Cause<unknown> => {
    const made = revived(error)
    return isDefect(made) ? Cause.die(made) : Cause.fail(made)
  }
  const awaited = Effect.map(
    calling((signal) => remote.outcome({ signal })),
    (outcome): Exit.Exit<unknown, unknown> =>
      outcome.status === "stopped"
        ? Exit.succeed(outcome.event)
        : Exit.failCause(
            outcome.status === "failed" ? causeOf(outcome.error as unknown as RunFailed) : Cause.interrupt()
          )
  )
  return {
    id: remote.id,
    send: (event, { key } = {}) =>
      Effect.mapError(
        calling((signal) => remote.send(event as never, { key, signal })),
        (error) => (error instanceof RunFailed ? revived(error, sent(event)) : error)
      ),
    closeInputs: calling((signal) => remote.closeInputs({ signal })),
    events: Stream.catch(
      Stream.fromAsyncIterable(remote.events, (error) => error),
      (error) =>
        Stream.fromEffect(
          error instanceof RunFailed
            ? Effect.failCause(causeOf(error))
            : error instanceof DOMException && error.name === "AbortError"
              ? Effect.interrupt
              : failed(error)
        )
    ),
    result: Effect.flatten(awaited),
    await: awaited,
    interrupt: calling((signal) => remote.interrupt({ signal })),
    status: calling((signal) => remote.status({ signal })),
    detail: calling((signal) => remote.detail({ signal }))
  } as RemoteRun<any, any>
}
