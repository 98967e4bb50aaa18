/**
 * Spans and metrics of one run, made from its trace entries if telemetry is on.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { Fiber } from "effect/Fiber"
import { PreventSchedulerYield } from "effect/Scheduler"
import * as Tracer from "effect/Tracer"
import { Telemetry as Options, type TelemetryOptions } from "../../../Telemetry.ts"
import type { TraceEntry } from "../../../Trace.ts"
import type { CompiledGraph } from "../../graph/graph.ts"
import { legible } from "./legible.ts"
import { metricsOf, type StepMetrics, type WorkflowMetrics } from "./metrics.ts"

/** OpenTelemetry's limit per span: a gather of a million events is still one span. */
const most = 128

/** The span that an event came from, and the time when the event, or its batch, began to wait. */
interface Delivered {
  readonly since: bigint
  readonly from: Tracer.Span | undefined
}
interface Batch {
  readonly since: bigint
  readonly links: ReadonlyArray<Tracer.SpanLink>
}
interface Working {
  readonly since: bigint
  readonly span: Tracer.Span | undefined
  /** Whether it holds no worker. */
  paused: boolean
}

/** The data of one step. */
class Step {
  /** Events on their way, and events held by an intake. */
  readonly delivered = new Map<string, Delivered>()
  /** Waiting batches, by their first event; empty ones by their future invocation. */
  readonly batches = new Map<string, Batch>()
  queued = 0
  busy = 0
  readonly collects: boolean
  readonly metrics: StepMetrics | undefined

  constructor(collects: boolean, metrics: StepMetrics | undefined) {
    this.collects = collects
    this.metrics = metrics
  }
}

/** The telemetry of a run, if the program provides a tracer or asks for it. */
export const telemetryOf = (graph: CompiledGraph, fiber: Fiber<unknown, unknown>): Telemetry | undefined => {
  const provided = fiber.cache.tracer !== undefined && fiber.cache.tracerEnabled
  const wanted = Context.get(fiber.context, Options)
  if (wanted === undefined) return provided ? new Telemetry(graph, fiber.context, both) : undefined
  return wanted.spans || wanted.metrics ? new Telemetry(graph, fiber.context, wanted) : undefined
}

/** What OpenTelemetry's conventions say of a workflow of generative AI: the name by those before and after their own release. */
const invokes = (workflow: string): Record<string, string> => ({
  "gen_ai.operation.name": "invoke_workflow",
  "gen_ai.workflow.name": workflow,
  "gen_ai.agent.name": workflow
})

const both: TelemetryOptions = { spans: true, metrics: true }

export class Telemetry {
  private readonly workflow: string
  private readonly spans: boolean
  private readonly genAi: boolean
  private readonly metrics: WorkflowMetrics | undefined
  private readonly context: Context.Context<never>
  private readonly clock: Clock.Clock
  private readonly steps: ReadonlyMap<string, Step>
  private readonly working = new Map<string, Working>()
  private run = ""
  private began = 0n
  private span: Tracer.Span | undefined
  /** The latest emitted event: its deliveries follow at once. */
  private source: { readonly event: string; readonly from: Tracer.Span | undefined } | undefined

  constructor(graph: CompiledGraph, context: Context.Context<never>, options: TelemetryOptions) {
    this.workflow = graph.name
    this.spans = options.spans
    this.genAi = options.genAi === true
    this.metrics = options.metrics ? metricsOf(graph) : undefined
    // Spans are created by an Effect, which must complete synchronously.
    this.context = Context.add(context, PreventSchedulerYield, true)
    this.clock = Context.get(context, Clock.Clock)
    this.steps = new Map(
      graph.nodes.map(({ index, name, intake }) => [name, new Step(intake !== undefined, this.metrics?.steps[index])])
    )
  }

  /** The context of an invocation: spans made in it are children of the invocation's span. */
  contextOf(invocation: string, context: Context.Context<never>): Context.Context<never> {
    const span = this.working.get(invocation)?.span
    return span === undefined ? context : Context.add(context, Tracer.ParentSpan, span)
  }

  /** Receives each trace entry, with the exit if something ended. */
  observe(entry: TraceEntry, exit: Exit.Exit<unknown, unknown> | undefined): void {
    switch (entry._tag) {
      case "RunStarted":
        this.run = entry.run
        this.began = this.now()
        // When the span is made: samplers decide by them.
        this.span = this.makeSpan(`workflow ${this.workflow}`, this.genAi ? invokes(this.workflow) : {}, [])
        return
      case "EventEmitted":
        this.source = {
          event: entry.event,
          from: entry.cause === null ? undefined : this.working.get(entry.cause)?.span
        }
        return
      case "EventDelivered": {
        const step = this.steps.get(entry.step)!
        const from = this.source?.event === entry.event ? this.source.from : undefined
        step.delivered.set(entry.event, { since: this.now(), from })
        if (!step.collects) this.queue(step, 1)
        return
      }
      case "IntakeFired": {
        const step = this.steps.get(entry.step)!
        const links = this.linksTo(step, entry.events)
        for (const event of entry.events) step.delivered.delete(event)
        step.batches.set(entry.events[0] ?? entry.invocation, { since: this.now(), links })
        this.queue(step, 1)
        return
      }
      case "EventDropped":
        if (entry.step !== null) this.dropped(this.steps.get(entry.step)!, entry.event)
        return
      case "InvocationStarted":
        if (entry.attempt === 1) this.started(entry)
        else this.working.get(entry.invocation)?.span?.attribute("stepgraph.attempt", entry.attempt)
        return
      case "InvocationEnded":
        this.ended(entry, exit)
        return
      case "InvocationPaused":
      case "InvocationResumed":
        this.pause(entry)
        return
      case "QuestionAsked":
      case "QuestionEnded":
        this.asked(entry)
        return
      case "FinalizerFailed":
        // The invocation's own span has ended by now.
        this.span?.event("stepgraph.finalizer.failed", this.now(), { "stepgraph.step": entry.step, error: entry.error })
        return
      case "RunFinished":
        this.finished(entry, exit!)
        return
    }
  }

  private started({ invocation, step: name, events, scope }: TraceEntry & { _tag: "InvocationStarted" }): void {
    const step = this.steps.get(name)!
    const now = this.now()
    const first = events[0]
    const batch = step.batches.get(first ?? invocation)
    const since = batch?.since ?? step.delivered.get(first!)?.since ?? now
    const links = batch?.links ?? this.linksTo(step, events)
    if (!step.batches.delete(first ?? invocation)) step.delivered.delete(first!)
    const waited = Number(now - since) / 1e9
    const span = this.makeSpan(
      `step ${name}`,
      {
        "stepgraph.step": name,
        "stepgraph.invocation": invocation,
        "stepgraph.events": events.slice(0, most),
        "stepgraph.events.count": events.length,
        "stepgraph.attempt": 1,
        "stepgraph.wait": waited,
        ...(scope === null ? undefined : { "stepgraph.scope": scope })
      },
      links
    )
    this.working.set(invocation, { since: now, span, paused: false })
    this.queue(step, -1)
    this.work(step, 1)
    step.metrics?.wait.updateUnsafe(waited, this.context)
  }

  private ended(
    { invocation, step: name, attempt, outcome, error, at }: TraceEntry & { _tag: "InvocationEnded" },
    exit: Exit.Exit<unknown, unknown> | undefined
  ): void {
    const working = this.working.get(invocation)
    if (working === undefined) return
    if (outcome === "retried") {
      const time = BigInt(Math.round(at)) * 1_000_000n
      working.span?.event("stepgraph.attempt.failed", time, { "stepgraph.attempt": attempt, error })
      return
    }
    const step = this.steps.get(name)!
    const now = this.now()
    this.working.delete(invocation)
    if (!working.paused) this.work(step, -1)
    step.metrics?.duration(outcome).updateUnsafe(Number(now - working.since) / 1e9, this.context)
    working.span?.attribute("stepgraph.outcome", outcome)
    working.span?.end(now, exit === undefined ? Exit.void : legible(exit))
  }

  private pause({ _tag, invocation, step }: TraceEntry & { _tag: "InvocationPaused" | "InvocationResumed" }): void {
    const working = this.working.get(invocation)
    if (working === undefined) return
    working.paused = _tag === "InvocationPaused"
    this.work(this.steps.get(step)!, working.paused ? -1 : 1)
  }

  private asked(entry: TraceEntry & { _tag: "QuestionAsked" | "QuestionEnded" }): void {
    const working = this.working.get(entry.invocation)
    if (working === undefined) return
    const attributes = { "stepgraph.question": entry.question }
    if (entry._tag === "QuestionAsked") {
      const awaits = { "stepgraph.event": entry.event, "stepgraph.awaits": entry.awaits }
      working.span?.event("stepgraph.question.asked", this.now(), { ...attributes, ...awaits })
    } else {
      const answer = entry.answer === null ? {} : { "stepgraph.event": entry.answer }
      working.span?.event(`stepgraph.question.${entry.outcome}`, this.now(), { ...attributes, ...answer })
    }
  }

  private dropped(step: Step, event: string): void {
    if (step.delivered.delete(event)) {
      if (!step.collects) this.queue(step, -1)
      return
    }
    // The first event of a batch stands for the whole batch.
    if (step.batches.delete(event)) this.queue(step, -1)
  }

  private finished({ outcome, event }: TraceEntry & { _tag: "RunFinished" }, exit: Exit.Exit<unknown, unknown>): void {
    const now = this.now()
    for (const step of this.steps.values()) {
      // A cancelled empty batch has no event whose end could be reported.
      if (step.queued > 0) this.queue(step, -step.queued)
      if (step.busy > 0) this.work(step, -step.busy)
    }
    this.metrics?.duration(outcome).updateUnsafe(Number(now - this.began) / 1e9, this.context)
    this.span?.attribute("stepgraph.outcome", outcome)
    if (event !== null) this.span?.attribute("stepgraph.event", event)
    this.span?.end(now, legible(exit))
  }

  private queue(step: Step, change: number): void {
    step.queued += change
    step.metrics?.queued.modifyUnsafe(change, this.context)
  }

  private work(step: Step, change: number): void {
    step.busy += change
    step.metrics?.busy.modifyUnsafe(change, this.context)
  }

  /** Links to the invocations that the events came from. */
  private linksTo(step: Step, events: ReadonlyArray<string>): ReadonlyArray<Tracer.SpanLink> {
    const links: Array<Tracer.SpanLink> = []
    if (!this.spans) return links
    for (const event of events) {
      const from = step.delivered.get(event)?.from
      if (from !== undefined) links.push({ span: from, attributes: { "stepgraph.event": event } })
      if (links.length === most) break
    }
    return links
  }

  private makeSpan(
    name: string,
    attributes: Record<string, unknown>,
    links: ReadonlyArray<Tracer.SpanLink>
  ): Tracer.Span | undefined {
    if (!this.spans) return undefined
    const options: Tracer.SpanOptionsNoTrace = {
      attributes: { "stepgraph.workflow": this.workflow, "stepgraph.run": this.run, ...attributes },
      links,
      // The run's own span is a child of the span in which it was started.
      ...(this.span === undefined ? undefined : { parent: this.span })
    }
    const exit = Effect.runForkWith(this.context)(Effect.makeSpan(name, options)).pollUnsafe()
    return exit !== undefined && Exit.isSuccess(exit) ? exit.value : undefined
  }

  private now(): bigint {
    return this.clock.currentTimeNanosUnsafe()
  }
}
