/**
 * Makes a run's timeline of its trace, entry by entry.
 */
import type { TraceEntry } from "stepgraph"
import { type Drawable, drawn } from "./drawable.ts"
import { count, time } from "./text.ts"
import type {
  CriticalPart,
  Moment,
  Outcome,
  Timeline,
  TimelineAttempt,
  TimelineDrop,
  TimelineEvent,
  TimelineInvocation,
  TimelineStep
} from "./timeline.ts"

type Writable<T> = { -readonly [K in keyof T]: T[K] }
export interface Invocation extends Writable<Omit<TimelineInvocation, "attempts" | "emitted">> {
  attempts: Array<Writable<TimelineAttempt>>
  emitted: Array<string>
}

/** The workers of a step: the lowest that is free takes what comes. */
class Workers {
  private readonly taken: Array<boolean> = []
  private lowest = 0

  take(): number {
    let row = this.lowest
    while (this.taken[row]) row++
    this.taken[row] = true
    this.lowest = row + 1
    return row
  }

  free(row: number): void {
    this.taken[row] = false
    if (row < this.lowest) this.lowest = row
  }

  get most(): number {
    return this.taken.length
  }
}

interface Step extends Writable<Omit<TimelineStep, "critical" | "utilisation" | "rows" | "workers">> {
  readonly crew: Workers
}

interface Fired {
  readonly step: string
  readonly events: ReadonlyArray<string>
  readonly at: Moment
  readonly quietAfter: string | null
}

export class Builder {
  readonly started: Extract<TraceEntry, { _tag: "RunStarted" }>
  private readonly invocations = new Map<string, Invocation>()
  private readonly events = new Map<string, TimelineEvent>()
  private readonly steps = new Map<string, Step>()
  private readonly drops: Array<TimelineDrop> = []
  private readonly finalizerFailures: Array<{ invocation: string; error: string; at: Moment }> = []
  /** When each event was delivered to each step, until an invocation begins with it. */
  private readonly delivered = new Map<string, Map<string, Moment>>()
  /** What intakes have let run, until it begins. */
  private readonly fired = new Map<string, Fired>()
  private readonly withIntake = new Set<string>()
  private readonly running = new Set<Invocation>()
  private finished: Extract<TraceEntry, { _tag: "RunFinished" }> | undefined
  private before: TraceEntry | undefined
  private lastEnded: string | null = null
  private last: Moment
  private entries = 1

  constructor(started: Extract<TraceEntry, { _tag: "RunStarted" }>, entries: Iterable<TraceEntry>) {
    this.started = started
    this.last = { at: 0, seq: started.seq }
    for (const entry of entries) this.add(entry)
  }

  private add(entry: TraceEntry): void {
    const at = { at: Math.max(0, entry.at - this.started.at), seq: entry.seq }
    this.entries++
    this.last = { at: Math.max(this.last.at, at.at), seq: entry.seq }
    switch (entry._tag) {
      case "EventEmitted":
        this.events.set(entry.event, { id: entry.event, tag: entry.tag, cause: entry.cause, at, data: entry.data })
        if (entry.cause !== null) this.invocations.get(entry.cause)?.emitted.push(entry.event)
        break
      case "EventDelivered":
        this.step(entry.step)
        this.deliveries(entry.step).set(entry.event, at)
        break
      case "EventDropped":
        this.drop(entry, at)
        break
      case "IntakeFired":
        this.step(entry.step)
        this.withIntake.add(entry.step)
        this.fired.set(entry.invocation, {
          step: entry.step,
          events: entry.events,
          at,
          quietAfter: this.quietBefore(entry.step)
        })
        break
      case "InvocationStarted":
        this.begin(entry, at)
        break
      case "InvocationEnded":
        this.end(entry, at)
        break
      case "FinalizerFailure":
        this.finalizerFailures.push({ invocation: entry.invocation, error: entry.error, at })
        break
      case "RunFinished":
        this.finished = entry
        break
    }
    if (entry._tag !== "IntakeFired") this.before = entry
  }

  /** The invocation after which all was quiet, where it was not an event that completed an intake. */
  private quietBefore(step: string): string | null {
    const { before } = this
    return before?._tag === "EventDelivered" && before.step === step ? null : this.lastEnded
  }

  private drop({ event, step: name, reason }: Extract<TraceEntry, { _tag: "EventDropped" }>, at: Moment): void {
    const since = name === null || reason === "left over" ? null : this.waitingSince(name, event)
    this.drops.push({ event, step: name, reason, since, at })
    if (name === null) return
    const step = this.step(name)
    step.dropped++
    this.deliveries(name).delete(event)
    if (since === null || since.at === at.at) return
    step.unserved++
    this.wait(step, at.at - since.at)
  }

  /** Since when an event has waited for a worker: what an intake holds does not, until it is complete. */
  private waitingSince(step: string, event: string): Moment | null {
    if (!this.withIntake.has(step)) return this.deliveries(step).get(event) ?? null
    for (const fired of this.fired.values()) if (fired.step === step && fired.events.includes(event)) return fired.at
    return null
  }

  private wait(step: Step, millis: number): void {
    step.waited += millis
    step.longestWait = Math.max(step.longestWait, millis)
  }

  private step(name: string): Step {
    let step = this.steps.get(name)
    if (step === undefined) {
      const none = { invocations: 0, busy: 0, waited: 0, longestWait: 0, failed: 0, retried: 0, interrupted: 0 }
      step = { name, crew: new Workers(), ...none, dropped: 0, unserved: 0 }
      this.steps.set(name, step)
    }
    return step
  }

  private deliveries(step: string): Map<string, Moment> {
    let deliveries = this.delivered.get(step)
    if (deliveries === undefined) this.delivered.set(step, (deliveries = new Map()))
    return deliveries
  }

  private begin(entry: Extract<TraceEntry, { _tag: "InvocationStarted" }>, at: Moment): void {
    const attempt = { start: at, end: at, outcome: "running" as Outcome, error: null }
    const known = this.invocations.get(entry.invocation)
    if (known !== undefined) {
      known.attempts.push(attempt)
      return
    }
    const step = this.step(entry.step)
    const deliveries = this.deliveries(entry.step)
    let first: Moment | undefined
    let latest: Moment | undefined
    for (const event of entry.events) {
      const delivery = deliveries.get(event)
      if (delivery === undefined) continue
      deliveries.delete(event)
      if (first === undefined || delivery.seq < first.seq) first = delivery
      if (latest === undefined || delivery.seq > latest.seq) latest = delivery
    }
    const fired = this.fired.get(entry.invocation)
    this.fired.delete(entry.invocation)
    const ready = fired?.at ?? latest ?? at
    const invocation: Invocation = {
      id: entry.invocation,
      step: entry.step,
      row: step.crew.take(),
      since: first ?? ready,
      ready,
      start: at,
      end: at,
      outcome: "running",
      error: null,
      attempts: [attempt],
      events: entry.events,
      emitted: [],
      intake: fired !== undefined,
      quietAfter: fired?.quietAfter ?? null,
      scope: entry.scope
    }
    this.invocations.set(entry.invocation, invocation)
    this.running.add(invocation)
    step.invocations++
    this.wait(step, at.at - ready.at)
  }

  private end(entry: Extract<TraceEntry, { _tag: "InvocationEnded" }>, at: Moment): void {
    const invocation = this.invocations.get(entry.invocation)
    const attempt = invocation?.attempts.at(-1)
    if (invocation === undefined || attempt === undefined) return
    attempt.end = at
    attempt.outcome = entry.outcome
    attempt.error = entry.error
    const step = this.step(entry.step)
    if (entry.outcome === "to be retried") {
      step.retried++
      return
    }
    if (entry.outcome === "failed") step.failed++
    if (entry.outcome === "interrupted") step.interrupted++
    this.lastEnded = invocation.id
    this.close(invocation, at, entry.outcome, entry.error)
    step.crew.free(invocation.row)
  }

  private close(invocation: Invocation, at: Moment, outcome: Outcome, error: string | null): void {
    invocation.end = at
    invocation.outcome = outcome
    invocation.error = error
    this.running.delete(invocation)
    this.step(invocation.step).busy += at.at - invocation.start.at
  }

  finish(
    criticalPath: (run: Pick<Timeline, "stop" | "invocations" | "events">) => ReadonlyArray<CriticalPart>,
    workflow: Drawable | undefined,
    nested: ReadonlyArray<Timeline>
  ): Timeline {
    for (const invocation of this.running) {
      const attempt = invocation.attempts.at(-1)!
      if (attempt.outcome === "running") attempt.end = this.last
      this.close(invocation, this.last, "running", null)
    }
    const { finished, started, events } = this
    const duration = this.last.at
    const invocations = [...this.invocations.values()]
    const stop = finished?.event ?? null
    const critical = criticalPath({ stop, invocations, events })
    const declared = workflow && new Map(drawn(workflow).steps.map(({ name, workers }) => [name, workers]))
    // In the order of the workflow where that is known; else in the order in which they were first heard of.
    const names = new Set([...(declared?.keys() ?? []), ...this.steps.keys()])
    const onPath = new Map<string, { running: number; waiting: number }>()
    for (const { step, doing, from, to } of critical) {
      const sums = onPath.get(step) ?? { running: 0, waiting: 0 }
      if (doing !== "collecting") sums[doing] += to.at - from.at
      onPath.set(step, sums)
    }
    const steps = [...names].map((name): TimelineStep => {
      const { crew, ...step } = this.step(name)
      const workers = declared?.get(name)
      const of = typeof workers === "number" ? workers : Math.max(1, crew.most)
      const utilisation = duration === 0 ? 0 : Math.min(1, step.busy / (of * duration))
      return {
        ...step,
        workers,
        rows: crew.most,
        utilisation,
        critical: onPath.get(name) ?? { running: 0, waiting: 0 }
      }
    })
    return {
      kind: "timeline",
      workflow: started.workflow,
      run: started.run,
      parent: started.parent,
      began: started.at,
      duration,
      entries: this.entries,
      outcome: finished?.outcome ?? "running",
      stop,
      error: finished?.error ?? null,
      steps,
      invocations,
      events,
      drops: this.drops,
      finalizerFailures: this.finalizerFailures,
      critical,
      hint: hintOf(steps, duration, finished?.outcome === "stopped"),
      nested
    }
  }
}

/** What is worth a word: a step whose events waited for a worker, on the critical path first. */
const hintOf = (steps: ReadonlyArray<TimelineStep>, duration: number, stopped: boolean): string | undefined => {
  // Where fewer were at work than there are, it was not for want of workers that something waited.
  const waiting = steps.filter(({ waited, workers, rows }) => waited > 0 && (workers === undefined || rows === workers))
  const [most] = waiting.sort((a, b) => b.critical.waiting - a.critical.waiting || b.waited - a.waited)
  if (most === undefined || most.waited < duration / 100) return undefined
  const { name, rows, waited, critical, unserved } = most
  const crew = most.workers ?? rows
  const at = most.workers === undefined ? `it had ${crew} at work at once` : `it has ${crew}`
  if (!stopped && unserved > 0) {
    return `${count(unserved, "event")} still waited for a worker of '${name}' when the run ended (${at}).`
  }
  return critical.waiting > 0
    ? `More workers for '${name}' would help most: ${time(critical.waiting)} of the critical path was waiting for one (${at}).`
    : `Events waited ${time(waited)} in all for a worker of '${name}' (${at}), but not on the critical path.`
}
