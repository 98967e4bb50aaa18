/**
 * Runs on a server, as if they were local. It works in browsers, too: it imports nothing, and needs only the types of the workflow.
 *
 * @module client
 */
import type { Redacted } from "effect/Redacted"
import type { AnyWorkflow, InputsOf, OutputsOf, RunStatus, StartOf, StopOf, WorkflowError } from "stepgraph"
import { type Caller, callerOf, failureOf, interruptedOf, keyOf } from "./internal/calling.ts"
import { leavable, recordsOf } from "./internal/reading.ts"
import type { RunDetail } from "./Runs.ts"

export { EventsDropped, RequestFailed, RunFailed, ServerUnreachable } from "./internal/calling.ts"

/** A value as JSON brings it: a `Date` is a string, and so is a bigint; a secret says only that it is one. */
export type Wire<T> = T extends string | number | boolean | null | undefined
  ? T
  : T extends Date | bigint | Uint8Array | Redacted<any>
    ? string
    : T extends ReadonlyArray<infer Item>
      ? ReadonlyArray<Wire<Item>>
      : T extends object
        ? { readonly [K in keyof T]: Wire<T[K]> }
        : unknown

/** The fields of an event, as JSON brings them. */
export type Fields<Event> = Event extends unknown ? Wire<Omit<Event, "_tag">> : never
/** An error as JSON brings it: with its tag and fields. */
export type ErrorFields<E> = E extends { readonly _tag: string } ? Wire<Omit<E, keyof Error>> & Error : Error

/** The outcome of a run: its stop event, or the error of the workflow with its tag and fields. */
export type Outcome<W> =
  | { readonly status: "stopped"; readonly event: Wire<StopOf<W>> }
  | { readonly status: "failed"; readonly error: ErrorFields<WorkflowError<W>> }
  | { readonly status: "interrupted" }

export interface ConnectOptions {
  /** The URL of the server, with its path: `https://example.com/flows`. */
  readonly url: string
  /** The name of the workflow. */
  readonly workflow: string
  /** The bearer token; a function is asked for each request. */
  readonly token?: string | (() => string | Promise<string>) | undefined
  /** Default: the global `fetch`. */
  readonly fetch?: typeof fetch | undefined
  /** How often to try again in a row while the server cannot be reached, with longer and longer pauses. Default: 8. */
  readonly retries?: number | undefined
}

export interface CallOptions {
  /** Aborting it ends the request, and the wait for its answer: the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined
}

export interface SendOptions extends CallOptions {
  /** A second event with the same key is not sent. Default: a random one, so that a lost answer sends none twice. */
  readonly key?: string | undefined
}

export interface StartOptions extends CallOptions {
  /** A second start with the same key gives the first run. Default: a random one, so that a lost answer starts no second run. */
  readonly key?: string | undefined
}

/** A workflow on a server. */
export interface Connection<W> {
  /** Starts a run. Rejects with `InvalidEvent` if the input does not fit. */
  readonly start: (input: Fields<StartOf<W>>, options?: StartOptions) => Promise<RemoteRun<W>>
  /** The handle of a run that was started anywhere. It sends no request yet. */
  readonly run: (id: string) => RemoteRun<W>
}

/** The handle of a run on a server: like that of `launchPromise`. */
export interface RemoteRun<W> extends AsyncDisposable {
  readonly id: string
  /** Sends an event to the run, once for each `key`. Rejects with `InvalidEvent` or `RunEnded`. */
  readonly send: (event: Wire<InputsOf<W>>, options?: SendOptions) => Promise<void>
  /** Declares that no more events will be sent. */
  readonly closeInputs: (options?: CallOptions) => Promise<void>
  /**
   * The workflow's `outputs`, then the stop event. Each iteration gets all of them, from the first on, and goes on after a
   * broken connection. A failed run throws.
   */
  readonly events: AsyncIterable<Wire<OutputsOf<W> | StopOf<W>>>
  /** The stop event, when the run has ended. If you do not read it, a failure is not an unhandled rejection. */
  readonly result: Promise<Wire<StopOf<W>>>
  /** The outcome of the run, when it has ended: like `result`, without failing. */
  readonly outcome: (options?: CallOptions) => Promise<Outcome<W>>
  /** Interrupts the run, and resolves when none of its work is running. */
  readonly interrupt: (options?: CallOptions) => Promise<void>
  readonly status: (options?: CallOptions) => Promise<RunStatus>
  /** Everything that the server knows about the run. */
  readonly detail: (options?: CallOptions) => Promise<RunDetail>
}

/**
 * Connects to a workflow on a server.
 *
 * @example
 * ```ts no-run
 * import { Schema } from "effect"
 * import { connect } from "@stepgraph/server/client"
 * import { defineEvent, defineStep, workflow } from "stepgraph"
 *
 * // On the server. Elsewhere, write `import type { flow } from "./flow.ts"`.
 * const Start = defineEvent("Start", { name: Schema.String })
 * const Stop = defineEvent("Stop", { greeting: Schema.String })
 * const greet = defineStep({ accepts: Start, emits: Stop, run: ({ name }) => Stop({ greeting: `Hello, ${name}!` }) })
 * const flow = workflow({ name: "greet", start: Start, stop: Stop, steps: { greet } })
 *
 * const remote = connect<typeof flow>({ url: "http://localhost:4270", workflow: "greet", token: "a-long-secret" })
 * const run = await remote.start({ name: "Ada" })
 * for await (const event of run.events) console.log(event)
 * ```
 */
export const connect = <W extends AnyWorkflow>(options: ConnectOptions): Connection<W> => {
  const call = callerOf(options)
  const run = (id: string) => new Remote<W>(call, options.workflow, id)
  return {
    run,
    start: async (input, { key, signal } = {}) => {
      const path = `/api/workflows/${encodeURIComponent(options.workflow)}/runs`
      const { id } = (await call.json("POST", path, { body: input, key: key ?? keyOf(), signal })) as RunDetail
      return run(id)
    }
  }
}

class Remote<W> implements RemoteRun<W> {
  readonly id: string
  private readonly call: Caller
  private readonly workflow: string
  private waited: Promise<any> | undefined

  constructor(call: Caller, workflow: string, id: string) {
    this.call = call
    this.workflow = workflow
    this.id = id
  }

  private path(rest = ""): string {
    return `/api/runs/${encodeURIComponent(this.id)}${rest}`
  }

  async send(event: Wire<InputsOf<W>>, { key, signal }: SendOptions = {}): Promise<void> {
    await this.call.json("POST", this.path("/inputs"), { body: event, key: key ?? keyOf(), signal })
  }

  async closeInputs({ signal }: CallOptions = {}): Promise<void> {
    await this.call.json("POST", this.path("/inputs/close"), { signal })
  }

  get events(): AsyncIterable<Wire<OutputsOf<W> | StopOf<W>>> {
    const { call, workflow } = this
    const path = this.path("/events")
    const eventsOf = async function* (signal: AbortSignal) {
      for await (const { data, kind } of recordsOf(call, path, signal)) {
        if (kind === "output") yield data as any
        else if (kind === "end" && data.status === "failed") throw failureOf(data.error)
        else if (kind === "end" && data.status === "interrupted") throw interruptedOf(workflow)
      }
    }
    return { [Symbol.asyncIterator]: () => leavable(eventsOf) }
  }

  get result(): Promise<Wire<StopOf<W>>> {
    if (this.waited === undefined) {
      this.waited = this.outcome().then((outcome) => {
        if (outcome.status === "stopped") return outcome.event
        throw outcome.status === "failed" ? outcome.error : interruptedOf(this.workflow)
      })
      this.waited.catch(() => {})
    }
    return this.waited
  }

  async outcome({ signal }: CallOptions = {}): Promise<Outcome<W>> {
    for (;;) {
      const { error, status, stop } = (await this.call.json("GET", this.path("?wait=30s"), { signal })) as RunDetail
      if (status === "stopped") return { status, event: stop as Wire<StopOf<W>> }
      if (status === "failed") return { status, error: failureOf(error!) as any }
      if (status === "interrupted") return { status }
    }
  }

  async interrupt({ signal }: CallOptions = {}): Promise<void> {
    await this.call.json("POST", this.path("/interrupt"), { signal })
  }

  async status(options?: CallOptions): Promise<RunStatus> {
    const { inputs, questions, state, steps, waiting } = await this.detail(options)
    // JSON has no `undefined`.
    const intakes = waiting.map(({ key, per, ...rest }) => ({ ...rest, per: per ?? undefined, key: key ?? undefined }))
    return { state, inputs, steps, waiting: intakes, questions } as RunStatus
  }

  detail({ signal }: CallOptions = {}): Promise<RunDetail> {
    return this.call.json("GET", this.path(), { signal }) as Promise<RunDetail>
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.interrupt()
  }
}
