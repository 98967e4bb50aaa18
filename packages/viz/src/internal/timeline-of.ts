/**
 * Computes a run's timeline from its trace.
 */
import type { InvocationModel, RunModel } from "stepgraph/trace"
import { criticalPath } from "./critical.ts"
import { type Drawable, drawn } from "./drawable.ts"
import { count, time } from "./text.ts"
import type {
  Timeline,
  TimelineAttempt,
  TimelineInvocation,
  TimelineLimit,
  TimelineQuestion,
  TimelineStep
} from "./timeline.ts"

/** A run that has begun; `workflow` tells the number of workers. */
export const timelineOf = (
  run: RunModel,
  workflow: Drawable | undefined,
  nested: ReadonlyArray<Timeline>
): Timeline => {
  const { events, last, stop } = run
  const duration = last.at
  const invocations = [...run.invocations.values()].map((invocation) => untilNow(invocation, run))
  const critical = criticalPath({ stop, invocations, events })
  const onPath = new Map<string, { running: number; waiting: number }>()
  for (const { step, doing, from, to } of critical) {
    const sums = onPath.get(step) ?? { running: 0, waiting: 0 }
    if (doing !== "collecting") sums[doing] += to.at - from.at
    onPath.set(step, sums)
  }
  const busyYet = new Map<string, number>()
  for (const { step, start } of run.running.values()) {
    busyYet.set(step, (busyYet.get(step) ?? 0) + last.at - start.at)
  }
  const unserved = new Map<string | null, number>()
  for (const { step, since, at } of run.drops) {
    if (since !== null && since.at !== at.at) unserved.set(step, (unserved.get(step) ?? 0) + 1)
  }
  const declared = workflow && new Map(drawn(workflow).steps.map(({ name, workers }) => [name, workers]))
  // In the workflow's order if it is known, otherwise in order of appearance.
  const steps = [...new Set([...(declared?.keys() ?? []), ...run.steps.keys()])].map((name): TimelineStep => {
    const step = run.steps.get(name)
    const workers = declared?.get(name)
    const rows = step?.most ?? 0
    const busy = (step?.busy ?? 0) + (busyYet.get(name) ?? 0)
    const of = typeof workers === "number" ? workers : Math.max(1, rows)
    return {
      name,
      workers,
      rows,
      invocations: step?.invocations ?? 0,
      busy,
      utilisation: duration === 0 ? 0 : Math.min(1, busy / (of * duration)),
      waited: step?.waited ?? 0,
      longestWait: step?.longestWait ?? 0,
      critical: onPath.get(name) ?? { running: 0, waiting: 0 },
      failed: step?.failed ?? 0,
      retried: step?.retried ?? 0,
      interrupted: step?.interrupted ?? 0,
      dropped: step?.dropped ?? 0,
      unserved: unserved.get(name) ?? 0
    }
  })
  const outcome = run.state === "pending" ? "running" : run.state
  return {
    _tag: "Timeline",
    workflow: run.workflow ?? "",
    run: run.id ?? "",
    parent: run.parent,
    began: run.began,
    duration,
    entries: run.entries,
    outcome,
    stop,
    error: run.error,
    steps,
    invocations,
    events,
    drops: run.drops,
    finalizerFailures: run.finalizerFailures,
    critical,
    hint: hintOf(steps, duration, outcome === "stopped"),
    nested
  }
}

const hasEnded = (invocation: InvocationModel): invocation is InvocationModel & TimelineInvocation =>
  invocation.end !== null && invocation.questions.every(({ end }) => end !== null)

/** An unfinished invocation extends to the last moment. */
const untilNow = (invocation: InvocationModel, { last }: RunModel): TimelineInvocation => {
  if (hasEnded(invocation)) return invocation
  const attempts = invocation.attempts.map((attempt): TimelineAttempt => ({ ...attempt, end: attempt.end ?? last }))
  const until = invocation.end ?? last
  const questions = invocation.questions.map((asked): TimelineQuestion => ({ ...asked, end: asked.end ?? until }))
  const limits = invocation.limits.map((wait): TimelineLimit => ({ ...wait, to: wait.to ?? until }))
  return { ...invocation, end: until, attempts, questions, limits }
}

/** The hint: a step whose events waited for a worker, preferably on the critical path. */
const hintOf = (steps: ReadonlyArray<TimelineStep>, duration: number, stopped: boolean): string | undefined => {
  // If some workers were idle, more workers would not have helped.
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
