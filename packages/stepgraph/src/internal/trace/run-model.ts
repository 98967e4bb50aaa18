/**
 * The model of one run, built entry by entry from its trace.
 *
 * Longer than other modules: a third is documentation, and the rest folds one state.
 */
import type { Graph } from "../../Graph.ts"
import type { TraceEntry } from "../../Trace.ts"
import type {
  AttemptModel,
  DropModel,
  Entry,
  EventModel,
  FinalizerFailureModel,
  InvocationModel,
  LimitModel,
  Moment,
  QuestionModel,
  StepModel
} from "./model.ts"
import { addTo, Records } from "./records.ts"
import { Step } from "./step.ts"

export interface RunModelOptions {
  /** The workflow's graph: with it, all steps are present from the start, in order. */
  readonly graph?: Graph | undefined
  /**
   * How many ended invocations, settled events and drops to keep. Default: all. Everything that still runs or waits is
   * always kept, and counters count all. With 0, there are no events, and only the invocations in `running`.
   */
  readonly keep?: number | undefined
}

type Writable<A> = { -readonly [K in keyof A]: A[K] }
type Invocation = Writable<Omit<InvocationModel, "attempts" | "questions" | "emitted" | "limits">> & {
  limits: Array<Writable<LimitModel>>
  readonly attempts: Array<Writable<AttemptModel>>
  questions: Array<Writable<QuestionModel>>
  readonly emitted: Array<string>
}
type Event = Writable<Omit<EventModel, "to" | "takenBy">> & { to: Array<string>; takenBy: Array<string> }

/** Shared empty lists. */
const none: Array<string> = []
const noQuestions: Array<Writable<QuestionModel>> = []
const never: Array<LimitModel> = []

/**
 * One run, up to its latest entry.
 *
 * @example
 * ```ts
 * import { Schema } from "effect"
 * import { defineEvent, defineStep, runPromise, workflow } from "stepgraph"
 * import { graphOf } from "stepgraph/graph"
 * import { RunModel } from "stepgraph/trace"
 *
 * const Start = defineEvent("Start")
 * const Job = defineEvent("Job", { n: Schema.Number })
 * const Stop = defineEvent("Stop", { n: Schema.Number })
 * const flow = workflow({
 *   name: "jobs", start: Start, stop: Stop,
 *   steps: {
 *     plan: defineStep({ accepts: Start, emits: Job, run: () => Job({ n: 1 }) }),
 *     work: defineStep({ accepts: Job, emits: Stop, run: async ({ n }) => Stop({ n }) })
 *   }
 * })
 *
 * const model = new RunModel({ graph: graphOf(flow) })
 * const result = runPromise(flow, {}, { observe: (entry) => model.add(entry) })
 * console.log(model.state, [...model.steps.values()].map(({ name, running }) => `${name}: ${running}`))
 * // => running [ 'plan: 0', 'work: 1' ]
 * await result
 *
 * const stop = model.events.get(model.stop!)!
 * const work = model.invocations.get(stop.cause!)!
 * const job = model.events.get(work.events[0]!)!
 * console.log(model.state, stop.tag, work.step, job.tag, job.data) // => stopped Stop work Job { n: 1 }
 * ```
 */
export class RunModel {
  private readonly keep: number
  private readonly kept: Records<Invocation>
  private readonly known: Records<Event>
  private readonly all = new Map<string, Step>()
  private readonly open = new Map<string, Invocation>()
  /** Those that hold no worker. */
  private readonly paused = new Set<string>()
  private readonly dropped: Array<DropModel> = []
  private readonly finalizers: Array<FinalizerFailureModel> = []
  private started: Entry<"RunStarted"> | undefined
  private finished: Entry<"RunFinished"> | undefined
  private first: TraceEntry | undefined
  private latest: Moment = { at: 0, seq: -1 }
  private count = 0
  private left: ReadonlyArray<InvocationModel> = []
  /** The step that an event was just delivered to: if its intake fires next, it does so for this event. */
  private delivered: string | undefined
  private lastEnded: string | null = null

  constructor({ graph, keep = Number.POSITIVE_INFINITY }: RunModelOptions = {}) {
    this.keep = keep
    this.kept = new Records(keep, ({ end }) => end === null)
    this.known = new Records(keep, ({ waiting }) => waiting > 0)
    for (const { name, intake } of graph?.steps ?? []) this.all.set(name, new Step(name, intake !== null))
  }

  /** The run's id; `undefined` before the first entry. */
  get id(): string | undefined {
    return this.first?.run
  }

  /** The workflow's name; `undefined` for a trace that begins in the middle. */
  get workflow(): string | undefined {
    return this.started?.workflow
  }

  /** The invocation that started it, if any. */
  get parent(): Entry<"RunStarted">["parent"] {
    return this.started?.parent ?? null
  }

  get state(): "pending" | "running" | Entry<"RunFinished">["outcome"] {
    return this.finished?.outcome ?? (this.first === undefined ? "pending" : "running")
  }

  /** The stop event, if any. */
  get stop(): string | null {
    return this.finished?.event ?? null
  }

  /** The error that it failed with, as text. */
  get error(): string | null {
    return this.finished?.error ?? null
  }

  /** When it began, in milliseconds of the `Clock`. */
  get began(): number {
    return this.first?.at ?? 0
  }

  /** The latest moment in the trace. */
  get last(): Moment {
    return this.latest
  }

  /** Number of entries added. */
  get entries(): number {
    return this.count
  }

  /** The state of each step: those of the graph first, then the others in order of appearance. */
  get steps(): ReadonlyMap<string, StepModel> {
    return this.all
  }

  /** In order of their start. */
  get invocations(): ReadonlyMap<string, InvocationModel> {
    return this.kept.all
  }

  /** Those that have not ended. */
  get running(): ReadonlyMap<string, InvocationModel> {
    return this.open
  }

  /** Invocations without an end when the run ended; not empty only if stepgraph has a bug. */
  get unfinished(): ReadonlyArray<InvocationModel> {
    return this.left
  }

  /** In order of emission. */
  get events(): ReadonlyMap<string, EventModel> {
    return this.known.all
  }

  get drops(): ReadonlyArray<DropModel> {
    return this.dropped
  }

  get finalizerFailures(): ReadonlyArray<FinalizerFailureModel> {
    return this.finalizers
  }

  /** Adds the next entry. Returns `false` for an entry of another run, and for a repeated one. */
  add(entry: TraceEntry): boolean {
    if (this.first === undefined) this.first = entry
    else if (entry.run !== this.first.run || entry.seq <= this.latest.seq) return false
    const at = { at: Math.max(0, entry.at - this.first.at), seq: entry.seq }
    // A clock may go back, a run does not.
    this.latest = at.at < this.latest.at ? { at: this.latest.at, seq: at.seq } : at
    this.count++
    this.take(entry, at)
    return true
  }

  /** Hot: called several times for each event of a run. */
  private take(entry: TraceEntry, at: Moment): void {
    switch (entry._tag) {
      case "RunStarted":
        this.started = entry
        return
      case "EventEmitted":
        this.delivered = undefined
        this.emit(entry, at)
        return
      case "EventDelivered": {
        this.delivered = entry.step
        this.step(entry.step).waiting.set(entry.event, at)
        const event = this.known.all.get(entry.event)
        if (event === undefined) return
        event.waiting++
        if (event.to === none) event.to = [entry.step]
        else event.to.push(entry.step)
        return
      }
      case "EventDropped": {
        this.delivered = undefined
        const { event, step, reason } = entry
        const since = step === null ? null : this.step(step).drop(event, at, reason === "leftover")
        addTo(this.dropped, { event, step, reason, since, at }, this.keep)
        if (step !== null) this.settle(this.known.all.get(event))
        return
      }
      case "IntakeFired": {
        const quietAfter = this.delivered === entry.step ? null : this.lastEnded
        this.step(entry.step).fire(entry.invocation, entry.events, at, quietAfter)
        return
      }
      case "InvocationStarted":
        this.delivered = undefined
        this.begin(entry, at)
        return
      case "InvocationEnded":
        this.delivered = undefined
        this.end(entry, at)
        return
      case "InvocationPaused":
        this.delivered = undefined
        this.paused.add(entry.invocation)
        this.step(entry.step).pause()
        return
      case "InvocationResumed":
        this.delivered = undefined
        if (this.paused.delete(entry.invocation)) this.step(entry.step).resume()
        return
      case "QuestionAsked":
        this.delivered = undefined
        this.ask(entry, at)
        return
      case "QuestionEnded":
        this.delivered = undefined
        this.answer(entry, at)
        return
      case "LimitReached": {
        this.delivered = undefined
        const invocation = this.open.get(entry.invocation)
        if (invocation === undefined) return
        const wait = { limit: entry.limit, key: entry.key, from: at, to: null }
        if (invocation.limits === never) invocation.limits = [wait]
        else addTo(invocation.limits, wait, Math.max(1, this.keep))
        return
      }
      case "LimitPassed": {
        this.delivered = undefined
        const wait = this.open.get(entry.invocation)?.limits.at(-1)
        if (wait !== undefined) wait.to = at
        return
      }
      case "FinalizerFailed": {
        this.delivered = undefined
        const { invocation, step, error } = entry
        addTo(this.finalizers, { invocation, step, error, at }, this.keep)
        return
      }
      case "RunFinished":
        this.finished = entry
        this.left = [...this.open.values()]
        for (const step of this.all.values()) step.clear()
    }
  }

  private step(name: string): Step {
    let step = this.all.get(name)
    if (step === undefined) {
      step = new Step(name, false)
      this.all.set(name, step)
    }
    return step
  }

  private emit({ event: id, tag, cause, attempt, data }: Entry<"EventEmitted">, at: Moment): void {
    if (this.keep === 0) return
    const by = cause === null ? undefined : this.kept.all.get(cause)
    if (by !== undefined) addTo(by.emitted, id, this.keep)
    this.known.add(id, { id, tag, cause, attempt: attempt ?? null, at, data, to: none, takenBy: none, waiting: 0 })
  }

  /** An event stops waiting in one of its steps. */
  private settle(event: Event | undefined): void {
    if (event === undefined || event.waiting === 0) return
    event.waiting--
    if (event.waiting === 0) this.known.release(event.id)
  }

  private begin({ invocation: id, step, events, scope }: Entry<"InvocationStarted">, at: Moment): void {
    const attempt = { start: at, end: null, outcome: "running" as const, error: null }
    const known = this.open.get(id)
    if (known !== undefined) {
      const before = known.attempts.at(-1)!
      // The trace lacks its end.
      if (before.end === null) Object.assign(before, { end: at, outcome: "retried" })
      addTo(known.attempts, attempt, Math.max(1, this.keep))
      return
    }
    const { row, since, ready, intake, quietAfter } = this.step(step).begin(id, events, at)
    const invocation: Invocation = {
      id,
      step,
      row,
      since,
      ready,
      start: at,
      end: null,
      outcome: "running",
      error: null,
      attempts: [attempt],
      questions: noQuestions,
      limits: never,
      events,
      emitted: [],
      intake,
      quietAfter,
      scope
    }
    this.open.set(id, invocation)
    if (this.keep === 0) return
    this.kept.add(id, invocation)
    for (const given of events) {
      const event = this.known.all.get(given)
      if (event === undefined) continue
      if (event.takenBy === none) event.takenBy = [id]
      else event.takenBy.push(id)
      this.settle(event)
    }
  }

  private ask({ invocation: id, question, event, awaits }: Entry<"QuestionAsked">, start: Moment): void {
    const invocation = this.open.get(id)
    if (invocation === undefined) return
    if (invocation.questions === noQuestions) invocation.questions = []
    const asked = { number: question, event, awaits, start, end: null, outcome: "open" as const, answer: null }
    addTo(invocation.questions, asked, Math.max(1, this.keep))
  }

  private answer({ invocation: id, question, outcome, answer }: Entry<"QuestionEnded">, end: Moment): void {
    const { questions = noQuestions } = this.open.get(id) ?? {}
    const asked = questions.findLast(({ number }) => number === question)
    if (asked === undefined) return
    Object.assign(asked, { end, outcome, answer })
    const event = answer === null ? undefined : this.known.all.get(answer)
    if (event !== undefined) event.takenBy = [...event.takenBy, id]
  }

  private end({ invocation: id, step: name, outcome, error }: Entry<"InvocationEnded">, at: Moment): void {
    const step = this.step(name)
    if (outcome === "retried") step.retried++
    else {
      step[outcome]++
      if (this.paused.delete(id)) step.paused--
    }
    const invocation = this.open.get(id)
    if (invocation === undefined) return
    const attempt = invocation.attempts.at(-1)!
    attempt.end = at
    attempt.outcome = outcome
    attempt.error = error
    if (outcome === "retried") return
    invocation.end = at
    // Interrupted while it waited.
    const wait = invocation.limits.at(-1)
    if (wait !== undefined) wait.to ??= at
    invocation.outcome = outcome
    invocation.error = error
    step.end(invocation.row, at.at - invocation.start.at)
    this.lastEnded = id
    this.open.delete(id)
    this.kept.release(id)
  }
}
