/**
 * Finds all problems in the options of an exploration before anything runs.
 */
import { isEffect } from "effect/Effect"
import * as Layer from "effect/Layer"
import { isTagged } from "effect/Predicate"
import { type AnyWorkflow, type InvalidEvent, InvalidWorkflow, workflow } from "stepgraph"
import { graphOf } from "stepgraph/graph"
import { nearest } from "stepgraph/internal"
import { faultKinds } from "./faults.ts"
import { show } from "./show.ts"
import { markOf } from "./token.ts"

/** Returns what a value should be, or undefined if it is valid. */
type Rule = (value: any) => string | undefined

const rule =
  (expected: string, holds: (value: any) => boolean): Rule =>
  (value) =>
    holds(value) ? undefined : `${expected}, not ${show(value)}`

const oneOf = (...values: ReadonlyArray<string>): Rule =>
  rule(values.map((value) => `'${value}'`).join(" or "), (value) => values.includes(value))
const whole = (least: number): Rule =>
  rule(`a whole number from ${least}`, (value) => Number.isSafeInteger(value) && value >= least)
const yesOrNo = rule("true or false", (value) => typeof value === "boolean")
const aFunction = rule("a function", (value) => typeof value === "function")
const text = rule("a string", (value) => typeof value === "string")
const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value)
const record = rule("an object", isRecord)

const rules: Readonly<Record<string, Rule>> = {
  input: () => undefined,
  inputs: whole(1),
  schedules: whole(1),
  random: whole(0),
  seconds: rule("a number of seconds above 0", (value) => Number.isFinite(value) && value > 0),
  seed: rule("a whole number", Number.isSafeInteger),
  time: oneOf("any", "ordered"),
  lanes: oneOf("any", "in turn"),
  fibers: oneOf("any", "in turn"),
  results: oneOf("any", "at once"),
  timers: oneOf("real", "virtual"),
  preempt: whole(0),
  cancel: yesOrNo,
  crash: rule("true, false or { process: () => flow }", (value) => typeof value === "boolean" || isRecord(value)),
  setup: aFunction,
  sends: rule("a list of events", Array.isArray),
  faults: record,
  replay: text,
  layer: rule("a Layer", (value) => Layer.isLayer(value)),
  program: aFunction,
  invariants: record,
  check: record,
  patience: rule("a number of milliseconds from 0", (value) => Number.isFinite(value) && value >= 0),
  logs: yesOrNo,
  onFailure: aFunction,
  progress: aFunction,
  warn: yesOrNo,
  signal: rule("an AbortSignal", (value) => value instanceof AbortSignal)
}

const listOfKinds = `a list of ${faultKinds.map((kind) => `'${kind}'`).join(", ")}`
const faultRules: Readonly<Record<string, Rule>> = {
  max: whole(0),
  kinds: rule(listOfKinds, (kinds) => {
    return Array.isArray(kinds) && kinds.length > 0 && kinds.every((kind) => faultKinds.includes(kind))
  }),
  steps: rule("a list of steps' names", Array.isArray)
}

const crashRules: Readonly<Record<string, Rule>> = { process: aFunction }

const invariantRules: Readonly<Record<string, Rule>> = {
  sameResult: rule("true, false or a function", (value) => ["boolean", "function"].includes(typeof value)),
  neverStalls: yesOrNo,
  neverFails: yesOrNo,
  withinWorkers: yesOrNo,
  finalizersRun: yesOrNo,
  eachConsumed: yesOrNo
}

const problemsIn = (given: Readonly<Record<string, unknown>>, of: typeof rules, where: string): Array<string> =>
  Object.entries(given).flatMap(([name, value]) => {
    const rule = Object.hasOwn(of, name) ? of[name] : undefined
    if (rule === undefined) {
      const meant = nearest(name, Object.keys(of))
      const instead =
        meant === undefined ? `there are ${Object.keys(of).join(", ")}` : `did you mean '${where}${meant}'?`
      return value === undefined ? [] : [`there is no '${where}${name}': ${instead}`]
    }
    const expected = value === undefined ? undefined : rule(value)
    return expected === undefined ? [] : [`'${where}${name}' must be ${expected}`]
  })

const problemsOfFlow = (flow: AnyWorkflow): ReadonlyArray<string> => {
  try {
    workflow(flow as any)
    return []
  } catch (error) {
    if (!(error instanceof InvalidWorkflow)) throw error
    return [`it is not a workflow: ${error.problems.join("; ")}`]
  }
}

const problemsOfEvent = (def: (fields: any) => unknown, event: unknown, option: string): ReadonlyArray<string> => {
  try {
    def(event)
    return []
  } catch (error) {
    // Compare the tag: the definition may come from another copy of stepgraph.
    if (isTagged(error, "InvalidEvent")) return [`'${option}': ${(error as InvalidEvent).message}`]
    throw error
  }
}

const problemsOfSent = ({ inputs }: AnyWorkflow, event: any): ReadonlyArray<string> => {
  const def = inputs.find(({ tag }: { readonly tag: string }) => tag === event?._tag)
  if (def === undefined) return [`'sends' has ${show(event)}, which is not among the workflow's 'inputs'`]
  return problemsOfEvent(def, event, "sends")
}

/** A flow that a process makes must be the same. */
const problemsOfProcess = (flow: AnyWorkflow, made: any): ReadonlyArray<string> => {
  const problems = problemsOfFlow(made).map((problem) =>
    problem.replace(/^it is not a workflow/, "'crash.process' makes no workflow")
  )
  if (problems.length > 0 || markOf(graphOf(made)) === markOf(graphOf(flow))) return problems
  return [`'crash.process' makes another workflow than the one to explore: both must have the same graph`]
}

export const problemsOf = (flow: AnyWorkflow, options: unknown): ReadonlyArray<string> => {
  const unfit = problemsOfFlow(flow)
  if (unfit.length > 0) return unfit
  if (!isRecord(options) || isEffect(options)) return [`its options must be an object, not ${show(options)}`]
  const problems = problemsIn(options, rules, "")
  const { check, crash, faults, input, invariants, program, sends } = options
  if (isRecord(faults)) {
    problems.push(...problemsIn(faults, faultRules, "faults."))
    if (faults.kinds === undefined) problems.push(`'faults.kinds' is missing: it must be ${listOfKinds}`)
    const unknown = Array.isArray(faults.steps) ? faults.steps.filter((step) => !Object.hasOwn(flow.steps, step)) : []
    for (const step of unknown) problems.push(`'faults.steps' names ${show(step)}, but the workflow has no such step`)
  }
  if (isRecord(invariants)) problems.push(...problemsIn(invariants, invariantRules, "invariants."))
  if (isRecord(crash)) problems.push(...problemsIn(crash, crashRules, "crash."))
  if (isRecord(crash) && crash.process === undefined) {
    problems.push("'crash.process' is missing: it must be a function that makes the workflow")
  }
  if (isRecord(crash) && typeof crash.process === "function") problems.push(...problemsOfProcess(flow, crash.process()))
  if (crash !== undefined && crash !== false && program !== undefined)
    problems.push("'crash' cuts the workflow's own run: leave out 'program', and list what it sends in 'sends'")
  if (Array.isArray(sends)) problems.push(...sends.flatMap((event) => problemsOfSent(flow, event)))
  if (sends !== undefined && program !== undefined)
    problems.push("'program' sends its own events, so leave out 'sends'")
  if (isRecord(check)) {
    for (const [name, value] of Object.entries(check)) {
      const expected = aFunction(value)
      if (expected !== undefined) problems.push(`'check.${name}' must be ${expected}`)
    }
  }
  // A custom program defines its own input.
  if (input !== undefined && program === undefined) problems.push(...problemsOfEvent(flow.start, input, "input"))
  return problems
}
