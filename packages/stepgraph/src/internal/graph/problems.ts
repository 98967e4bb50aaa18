/**
 * Finds all problems of a workflow: those that the compiler reports (`check.ts`), for callers without types, and those
 * that types cannot express.
 *
 * Longer than other modules: one check for each rule, in the order in which they are reported.
 */
import * as Duration from "effect/Duration"
import { isEffect } from "effect/Effect"
import * as Schedule from "effect/Schedule"
import type { AnyDef } from "../../Event.ts"
import { type AnyIntake, isIntake } from "../../Intake.ts"
import { isLimit } from "../../Limit.ts"
import { unknownOptions } from "../../Options.ts"
import { show } from "../../Show.ts"
import { type AnyStep, stepOptions } from "../../Step.ts"
import { compile } from "./compile.ts"
import { acceptedBy, type CompiledGraph, type Definition, stopsOf } from "./graph.ts"
import { checkReach, checkScopes } from "./reach.ts"

type Report = (problem: string) => void

const isDef = (value: unknown): value is AnyDef =>
  typeof value === "function" && "tag" in value && typeof value.tag === "string" && "schema" in value

const isPositiveWhole = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) > 0

const isDuration = (value: unknown): boolean => {
  if (Number.isNaN(value) || (typeof value === "object" && value !== null && Object.keys(value).length === 0))
    return false
  const duration = Duration.fromInput(value as Duration.Input)
  return duration._tag === "Some" && !Duration.isNegative(duration.value)
}

const text = (value: unknown): string => (typeof value === "string" ? `'${value}'` : show(value))

/** Conditions for indexing the graph at all. */
const checkShape = (flow: Definition, report: Report): void => {
  if (Array.isArray(flow.start)) {
    report(
      "`start` is a list, but a run begins with one event: distinguish the cases by a field, or list the other events in `inputs`"
    )
  } else if (!isDef(flow.start)) report("`start` is not an event: give it what defineEvent returned")
  if (!stopsOf(flow).every(isDef))
    report("`stop` is not an event: give it what defineEvent returned, or a list of such events")
  for (const key of ["inputs", "outputs"] as const) {
    if (!Array.isArray(flow[key]) || !flow[key].every(isDef))
      report(`\`${key}\` must be a list of events, as defineEvent returns them`)
  }
  if (typeof flow.steps !== "object" || flow.steps === null || Object.keys(flow.steps).length === 0) {
    report("there are no steps: give at least one in `steps`")
    return
  }
  for (const [name, step] of Object.entries(flow.steps)) checkStepShape(name, step, report)
}

const checkStepShape = (name: string, step: AnyStep, report: Report): void => {
  if (typeof step !== "object" || step === null) {
    report(`step '${name}' is not what defineStep returned: wrap it in defineStep({ accepts, emits, run })`)
    return
  }
  if (typeof step.run !== "function") {
    const effect = isEffect(step.run) ? "an Effect as its `run`: give a function that returns it, () => …" : undefined
    report(`step '${name}' has ${effect ?? "no `run`: give it a function"}`)
  }
  if (!isIntake(step.accepts) && !Array.isArray(step.accepts)) {
    report(
      `step '${name}' accepts ${text(step.accepts)}: give it an event, a list of events, or an intake such as join`
    )
    return
  }
  const per = isIntake(step.accepts) ? step.accepts.per : undefined
  if (!acceptedBy(step).every(isDef)) {
    report(`step '${name}' accepts something that is not an event: use what defineEvent returned`)
  }
  if (!Array.isArray(step.emits)) {
    report(`step '${name}' emits ${text(step.emits)}: give it an event or a list of events, or [] if it emits none`)
  } else if (!step.emits.every(isDef)) {
    report(`step '${name}' emits something that is not an event: use what defineEvent returned`)
  }
  if (step.stream !== undefined && !(Array.isArray(step.stream) && step.stream.every(isDef))) {
    report(`step '${name}' streams something that is not an event: use what defineEvent returned, or a list of that`)
  }
  if (step.asks !== undefined && !(Array.isArray(step.asks) && step.asks.every(isDef))) {
    report(`step '${name}' asks for something that is not an event: use what defineEvent returned, or a list of that`)
  }
  if (per !== undefined && !isDef(per))
    report(`step '${name}' has a \`per\` that is not an event: use what defineEvent returned`)
}

const flowOptions = ["name", "start", "stop", "inputs", "outputs", "timeout", "grace", "steps"]

/** Unknown options, which would otherwise be ignored. */
const checkNames = (flow: Definition, report: Report): void => {
  for (const problem of unknownOptions(flow, flowOptions, ["~types"])) report(problem)
  for (const [name, step] of Object.entries(flow.steps)) {
    for (const problem of unknownOptions(step, stepOptions, ["~inner"])) report(`step '${name}': ${problem}`)
    const problems = isIntake(step.accepts) ? (step.accepts["~problems"] ?? []) : []
    for (const problem of problems) report(`step '${name}', ${(step.accepts as AnyIntake).kind}: ${problem}`)
  }
}

/** Names, numbers and durations. */
const checkSettings = (flow: Definition, report: Report): void => {
  if (typeof flow.name !== "string" || flow.name === "") report("the workflow has no name: give it one with `name`")
  if (stopsOf(flow).length === 0) report("there is no stop event: name one with `stop`")
  const { grace, timeout } = flow as { grace?: unknown; timeout?: unknown }
  if (timeout !== undefined && !isDuration(timeout)) {
    report(
      `the workflow's timeout is ${text(timeout)}, which is not a duration: write "10 seconds" or a number of milliseconds`
    )
  }
  if (grace !== undefined && !isDuration(grace)) {
    report(
      `the workflow's grace is ${text(grace)}, which is not a duration: write "2 seconds" or a number of milliseconds`
    )
  }
  for (const [name, step] of Object.entries(flow.steps)) checkStepSettings(name, step, report)
}

const checkStepSettings = (name: string, step: AnyStep, report: Report): void => {
  if (acceptedBy(step).length === 0) {
    report(`step '${name}' accepts nothing, so it would never run: name an event in \`accepts\``)
  }
  if (step.workers !== "unbounded" && !isPositiveWhole(step.workers)) {
    report(`step '${name}' has ${text(step.workers)} workers: give a positive whole number or "unbounded"`)
  }
  if (step.buffer !== undefined && !isPositiveWhole(step.buffer)) {
    report(`step '${name}' has a buffer of ${text(step.buffer)}: give a positive whole number`)
  }
  if (step.timeout !== undefined && !isDuration(step.timeout)) {
    report(
      `step '${name}' has the timeout ${text(step.timeout)}, which is not a duration: write "1 second" or a number of milliseconds`
    )
  }
  if (step.grace !== undefined && !isDuration(step.grace)) {
    report(
      `step '${name}' has the grace ${text(step.grace)}, which is not a duration: write "2 seconds" or a number of milliseconds`
    )
  }
  if (step.limit !== undefined && !(Array.isArray(step.limit) ? step.limit : [step.limit]).every(isLimit)) {
    report(
      `step '${name}' has the limit ${text(step.limit)}: give it what defineLimit returned, or a list of such limits`
    )
  }
  if (step.retry !== undefined) checkRetry(name, step.retry, report)
  if (step.recover !== undefined && typeof step.recover !== "function") {
    report(`step '${name}' has a \`recover\` that is not a function: write (error, event, ctx) => …`)
  }
  if (isIntake(step.accepts)) checkIntake(name, step.accepts, report)
}

/** A misspelt option could leave a retry without an end. */
const checkRetry = (name: string, retry: unknown, report: Report): void => {
  if (Schedule.isSchedule(retry)) return
  if (typeof retry !== "object" || retry === null || Array.isArray(retry)) {
    report(`step '${name}' has the retry ${text(retry)}: write { times: 3 } or give a Schedule`)
    return
  }
  const unknown = unknownOptions(retry, [...retryOptions, ...pauseOptions])
  for (const problem of unknown) report(`step '${name}', retry: ${problem}`)
  const { times, schedule, ...more } = retry as { readonly [option: string]: unknown }
  if (times !== undefined && !(typeof times === "number" && times >= 0)) {
    report(`step '${name}' retries ${text(times)} times: give a number of at least 0`)
  }
  if (schedule !== undefined && !Schedule.isSchedule(schedule)) {
    report(
      `step '${name}' retries by the schedule ${text(schedule)}: give a Schedule, such as Schedule.spaced("1 second")`
    )
  }
  for (const option of ["while", "until"] as const) {
    const condition = more[option]
    if (condition !== undefined && typeof condition !== "function") {
      report(`step '${name}' has the \`${option}\` ${text(condition)} in its retry: write (error) => …`)
    }
  }
  if (
    unknown.length === 0 &&
    retryOptions.every((option) => (retry as Record<string, unknown>)[option] === undefined)
  ) {
    report(`step '${name}' has a retry that would never end: give \`times\`, or a \`while\` that says when to go on`)
  }
  checkPauses(name, more, schedule !== undefined, report)
}

const retryOptions = ["times", "schedule", "while", "until"]
const pauseOptions = ["delay", "factor", "max", "jitter"]

/** The pauses between attempts. */
const checkPauses = (
  name: string,
  { delay, factor, max, jitter }: { readonly [option: string]: unknown },
  scheduled: boolean,
  report: Report
): void => {
  for (const [option, value] of Object.entries({ delay, max })) {
    if (value === undefined || isDuration(value)) continue
    report(
      `step '${name}' has the \`${option}\` ${text(value)} in its retry, which is not a duration: write "1 second" or a number of milliseconds`
    )
  }
  if (factor !== undefined && !(typeof factor === "number" && factor >= 1 && Number.isFinite(factor))) {
    report(`step '${name}' has the \`factor\` ${text(factor)} in its retry: give a number of at least 1`)
  }
  if (jitter !== undefined && typeof jitter !== "boolean") {
    report(`step '${name}' has the \`jitter\` ${text(jitter)} in its retry: give true or false`)
  }
  const given = Object.entries({ delay, factor, max, jitter }).find(([, value]) => value !== undefined)
  if (given === undefined) return
  if (scheduled) report(`step '${name}' has a \`schedule\` and a \`${given[0]}\` in its retry: give one of them`)
  else if (delay === undefined) {
    report(`step '${name}' has a \`${given[0]}\` in its retry, but no \`delay\`: say how long the first pause is`)
  }
}

const checkIntake = (name: string, intake: AnyIntake, report: Report): void => {
  const { kind, count, by, within } = intake
  if (kind === "collect" && !isPositiveWhole(count)) {
    report(`step '${name}' collects ${text(count)} events: give a positive whole number`)
  }
  if (kind === "race" && !isPositiveWhole(count)) {
    report(`step '${name}' has a race that takes ${text(count)}: give \`take\` a positive whole number`)
  }
  for (const option of ["by", "within"] as const) {
    if (intake[option] !== undefined && (kind === "gather" || kind === "race")) {
      report(
        `step '${name}' has a ${kind} with \`${option}\`, which only join and collect take: leave it out, or use \`per\``
      )
    }
  }
  if (by !== undefined && typeof by !== "function")
    report(`step '${name}' has a \`by\` that is not a function: write (event) => event.id`)
  if (within !== undefined && !isDuration(within)) {
    report(
      `step '${name}' waits within ${text(within)}, which is not a duration: write "1 second" or a number of milliseconds`
    )
  }
}

/** Two definitions with one tag: an event of one would be mistaken for the other's. */
const checkTags = (flow: Definition, report: Report): void => {
  const seen = new Map<string, AnyDef>()
  const reported = new Set<string>()
  const check = (def: AnyDef) => {
    const first = seen.get(def.tag)
    if (first === undefined) seen.set(def.tag, def)
    else if (first !== def && !reported.has(def.tag)) {
      reported.add(def.tag)
      report(`two definitions of an event have the tag '${def.tag}': define it once, or rename one of them`)
    }
  }
  for (const def of [flow.start, ...stopsOf(flow), ...flow.inputs, ...flow.outputs]) check(def)
  for (const { accepts, emits, asks = [], stream = [] } of Object.values(flow.steps)) {
    const intake = isIntake(accepts) ? accepts : undefined
    for (const def of [...(intake?.events ?? (accepts as ReadonlyArray<AnyDef>)), ...emits, ...asks, ...stream])
      check(def)
    if (intake?.per !== undefined) check(intake.per)
  }
}

/** Problems that the compiler also reports: events that no step accepts or emits. */
const checkEnds = (flow: Definition, report: Report): void => {
  const tags = (defs: ReadonlyArray<AnyDef>) => defs.map(({ tag }) => tag)
  const steps = Object.entries(flow.steps)
  const stops = new Set(tags(stopsOf(flow)))
  const accepted = new Set(steps.flatMap(([, step]) => tags(acceptedBy(step))))
  const emitted = new Set(steps.flatMap(([, step]) => tags(step.emits)))
  const known = new Set([flow.start.tag, ...tags(flow.inputs), ...emitted])
  const taken = new Set([...stops, ...tags(flow.outputs), ...accepted])
  const unknownEnd = "it is neither the start nor an input event"

  if (!accepted.has(flow.start.tag)) report(`no step accepts the start event '${flow.start.tag}'`)
  for (const stop of stops) if (!emitted.has(stop)) report(`no step emits the stop event '${stop}'`)
  const inputs = new Set(tags(flow.inputs))
  const outputs = new Set(tags(flow.outputs))
  const asked = new Set(steps.flatMap(([, { asks = [] }]) => tags(asks)))
  for (const input of inputs) {
    if (!accepted.has(input) && !asked.has(input)) report(`no step accepts the input event '${input}', or asks for it`)
  }
  for (const output of tags(flow.outputs))
    if (!emitted.has(output)) report(`no step emits the output event '${output}'`)
  for (const [name, step] of steps) {
    for (const tag of new Set(tags(acceptedBy(step)))) {
      if (stops.has(tag)) {
        report(
          `step '${name}' accepts the stop event '${tag}', but a stop event ends the run: emit another event to it`
        )
      } else if (!known.has(tag)) {
        report(`step '${name}' accepts '${tag}', but no step emits it and ${unknownEnd}`)
      }
    }
    for (const tag of new Set(tags(step.emits))) {
      if (!taken.has(tag)) {
        report(`step '${name}' emits '${tag}', but no step accepts it and it is neither a stop nor an output event`)
      }
    }
    const per = isIntake(step.accepts) ? step.accepts.per?.tag : undefined
    if (per !== undefined && !known.has(per)) {
      report(`step '${name}' keeps one intake per '${per}', but no step emits it and ${unknownEnd}`)
    }
    for (const tag of new Set(tags(step.stream ?? []))) {
      if (!step.emits.some((def) => def.tag === tag)) {
        report(`step '${name}' streams '${tag}', but it does not emit it: add '${tag}' to its 'emits'`)
      } else if (accepted.has(tag) || !outputs.has(tag)) {
        report(`step '${name}' streams '${tag}', but it is not an output event that no step accepts`)
      }
    }
    for (const tag of new Set(tags(step.asks ?? []))) {
      if (!inputs.has(tag)) report(`step '${name}' asks for '${tag}', but it is not an input event`)
    }
  }
}

/** All problems of a workflow, or its graph if there are none. */
export const examine = (flow: Definition): CompiledGraph | ReadonlyArray<string> => {
  if (typeof flow !== "object" || flow === null)
    return ["it is not an object: give workflow({ name, start, stop, steps })"]
  const problems: Array<string> = []
  const report: Report = (problem) => problems.push(problem)
  checkShape(flow, report)
  if (problems.length > 0) return problems
  checkNames(flow, report)
  checkSettings(flow, report)
  checkTags(flow, report)
  checkEnds(flow, report)
  const graph = compile(flow)
  checkReach(flow, graph, report)
  checkScopes(graph, report)
  return problems.length > 0 ? problems : graph
}
