/**
 * One run in the memory of this process, with its trace and outputs for late readers.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Stream from "effect/Stream"
import { type AnyWorkflow, InvalidEvent, type launch, RunEnded, type TraceEntry } from "stepgraph"
import { nearest } from "stepgraph/internal"
import type { Json, LogLine, RunDetail, RunFailure, RunSummary, ServedRun, Starting } from "../Runs.ts"
import { type AnyEvent, type Def, eventJson, failureOf, outputJson, statusJson } from "./json.ts"
import { Log } from "./log.ts"
import { redactedFailure, shownBy } from "./redacting.ts"

/** One run never takes more than this share of what is kept. */
const share = 4
/** Number of keys of inputs that a run remembers. */
const mostKeys = 10_000

export type Live = Effect.Success<ReturnType<typeof launch<AnyWorkflow>>>

/** Makes an event from JSON, or from an event of this very definition. */
export const decoded = (def: Def, input: unknown): Effect.Effect<AnyEvent, InvalidEvent> =>
  Effect.suspend(() => {
    try {
      return Effect.succeed(input instanceof Made ? input.event : def.fromJson(input))
    } catch (error) {
      return (error as { readonly _tag?: unknown })?._tag === "InvalidEvent"
        ? Effect.fail(error as InvalidEvent)
        : Effect.die(error)
    }
  })

/** The input of a workflow that some JSON claims to be. */
export const inputOf = (flow: AnyWorkflow, json: Json): Effect.Effect<Def, InvalidEvent> =>
  Effect.suspend(() => {
    const tag =
      typeof json === "object" && json !== null && Object.hasOwn(json, "_tag")
        ? (json as { readonly _tag?: unknown })._tag
        : undefined
    const inputs = flow.inputs as ReadonlyArray<Def>
    const def = inputs.find((def) => def.tag === tag)
    if (def !== undefined) return Effect.succeed(def)
    const tags = inputs.map(({ tag }) => tag)
    const near = typeof tag === "string" ? nearest(tag, tags) : undefined
    const problem =
      `it is not an input of workflow '${flow.name}', ` +
      (tags.length === 0 ? "which has none" : `whose inputs are ${tags.map((tag) => `'${tag}'`).join(", ")}`) +
      (near === undefined ? "" : `: did you mean '${near}'?`)
    return Effect.fail(new InvalidEvent({ tag: typeof tag === "string" ? tag : "unknown", input: json, problem }))
  })

/** An event kept to start another run with: a class, so that no JSON can be one. */
export class Made {
  readonly event: AnyEvent
  constructor(event: AnyEvent) {
    this.event = event
  }
}

export class MemoryRun implements ServedRun {
  readonly entries: Log
  readonly outputs: Log
  readonly flow: AnyWorkflow
  readonly startedWith: Made
  readonly starting: Starting
  readonly input: Json
  readonly startedAt = new Date()
  private readonly sent = new Map<string, Effect.Effect<void, InvalidEvent | RunEnded>>()
  private readonly home: Home
  private live: Live | undefined
  private id = ""
  private parent: RunDetail["parent"] = null
  /** The last entry of its trace. */
  private finished: Extract<TraceEntry, { readonly _tag: "RunFinished" }> | undefined
  private endedAt: Date | undefined
  private outcome: Pick<RunDetail, "status" | "stop" | "error"> = { status: "running", stop: null, error: null }
  private final: ReturnType<typeof statusJson> | undefined
  private readonly listeners = new Set<() => void>()

  constructor(home: Home, flow: AnyWorkflow, event: AnyEvent, starting: Starting) {
    this.home = home
    this.flow = flow
    this.starting = starting
    this.startedWith = new Made(event)
    this.input = eventJson(flow.start as Def, event)
    this.entries = new Log(home.size / share)
    this.outputs = new Log(home.size / share)
  }

  get size(): number {
    return this.entries.size + this.outputs.size
  }

  /** Drops the older half of the larger stream. */
  halve(): void {
    const larger = this.entries.size > this.outputs.size ? this.entries : this.outputs
    larger.trim(larger.size / 2)
  }

  get over(): boolean {
    return this.endedAt !== undefined
  }

  observe(entry: TraceEntry): void {
    if (entry._tag === "RunStarted" && this.id === "") {
      this.id = entry.run
      this.parent = entry.parent
    }
    if (entry._tag === "RunFinished" && entry.run === this.id) this.finished = entry
    const shown = shownBy(this.home.redact, entry)
    if (shown !== undefined) this.keep(this.entries, (log) => log.append("trace", JSON.stringify(shown)))
  }

  /** Keeps what a step logs. */
  log(line: LogLine): void {
    this.keep(this.entries, (log) => log.append("log", JSON.stringify(line)))
  }

  private keep(log: Log, change: (log: Log) => void): void {
    const before = this.size
    change(log)
    this.home.grown(this.size - before)
  }

  /** Follows the run to its end. */
  follow(live: Live): Effect.Effect<void> {
    this.id = live.id
    this.live = live
    const outputs = Stream.runForEach(live.events as Stream.Stream<AnyEvent, unknown>, (event) =>
      Effect.sync(() =>
        this.keep(this.outputs, (log) => log.append("output", JSON.stringify(outputJson(this.flow, event))))
      )
    )
    return Effect.exit(outputs).pipe(
      Effect.andThen(live.await),
      Effect.flatMap((exit) => Effect.map(live.status, (status) => this.end(exit, statusJson(status))))
    )
  }

  private end(exit: Exit.Exit<AnyEvent, unknown>, final: ReturnType<typeof statusJson>): void {
    this.outcome = Exit.isSuccess(exit)
      ? { status: "stopped", stop: outputJson(this.flow, exit.value), error: null }
      : Exit.hasInterrupts(exit) && !Exit.hasFails(exit) && !Exit.hasDies(exit)
        ? { status: "interrupted", stop: null, error: null }
        : { status: "failed", stop: null, error: this.shownFailure(failureOf(exit.cause)) }
    this.final = { ...final, state: "ended", inputs: "closed" }
    this.live = undefined
    const { status, error } = this.outcome
    const last = JSON.stringify(error === null ? { status } : { status, error })
    this.keep(this.outputs, (log) => log.end(last))
    this.keep(this.entries, (log) => log.end(last))
    // Only now may it make room for others.
    this.endedAt = new Date()
    for (const listener of this.listeners) listener()
    this.listeners.clear()
  }

  private shownFailure(failure: RunFailure): RunFailure {
    const { redact } = this.home
    return redact === undefined ? failure : redactedFailure(failure, this.finished, redact)
  }

  get summary(): RunSummary {
    const { endedAt, startedAt, starting } = this
    return {
      id: this.id,
      workflow: this.flow.name,
      status: this.outcome.status,
      user: starting.user,
      startedAt: startedAt.toISOString(),
      endedAt: endedAt?.toISOString() ?? null,
      rerunOf: starting.rerunOf ?? null
    }
  }

  get detail(): Effect.Effect<RunDetail> {
    return Effect.suspend(() => {
      const now = this.live === undefined ? Effect.succeed(this.final!) : Effect.map(this.live.status, statusJson)
      return Effect.map(now, ({ idle, ...status }) => ({
        ...this.summary,
        ...status,
        ...this.outcome,
        status: this.outcome.status === "running" && idle ? ("waiting" as const) : this.outcome.status,
        parent: this.parent,
        input: this.input
      }))
    })
  }

  /** The summary, which knows whether the run waits. */
  get now(): Effect.Effect<RunSummary> {
    return this.over
      ? Effect.succeed(this.summary)
      : Effect.map(this.detail, ({ status }) => ({ ...this.summary, status }))
  }

  get events() {
    return this.outputs.read
  }

  get trace() {
    return this.entries.read
  }

  readonly ended: Effect.Effect<void> = Effect.callback<void>((resume) => {
    if (this.over) {
      resume(Effect.void)
      return
    }
    const listener = () => resume(Effect.void)
    this.listeners.add(listener)
    return Effect.sync(() => this.listeners.delete(listener))
  })

  send(json: Json, key: string | undefined): Effect.Effect<void, InvalidEvent | RunEnded> {
    const before = key === undefined ? undefined : this.sent.get(key)
    if (before !== undefined) return before
    const sending = Effect.flatMap(inputOf(this.flow, json), (def) =>
      Effect.flatMap(decoded(def, json), (event) =>
        this.live === undefined ? this.late(event) : (this.live.send(event as never) as Effect.Effect<void, any>)
      )
    )
    if (key === undefined) return sending
    return Effect.onExit(sending, (exit) => {
      // A key stands for what has been taken; what was refused may be sent again, mended.
      if (Exit.isSuccess(exit)) this.sent.set(key, Effect.void)
      // A second try comes soon, if at all.
      const [oldest] = this.sent.keys()
      if (this.sent.size > mostKeys) this.sent.delete(oldest!)
      return Effect.void
    })
  }

  private late(event: AnyEvent): Effect.Effect<never, RunEnded> {
    return Effect.fail(new RunEnded({ workflow: this.flow.name, event }))
  }

  get closeInputs(): Effect.Effect<void> {
    return Effect.suspend(() => this.live?.closeInputs ?? Effect.void)
  }

  get interrupt(): Effect.Effect<void> {
    return Effect.suspend(() =>
      this.live === undefined ? Effect.void : Effect.andThen(this.live.interrupt, this.ended)
    )
  }

  get forget(): Effect.Effect<boolean> {
    return Effect.sync(() => this.over && this.home.forget(this))
  }
}

/** Where it lives. */
export interface Home {
  readonly size: number
  readonly redact: ((entry: TraceEntry) => TraceEntry) | undefined
  readonly grown: (by: number) => void
  readonly forget: (run: MemoryRun) => boolean
}
