// Laws for every run of every workflow, each checked on the record alone. A law returns what is wrong, or undefined.
// `follow` is the strictest; the others do not use the model and name the broken rule.
import type { TraceEntry } from "stepgraph"
import type { Engine } from "./engine.ts"
import { shrink } from "./generate.ts"
import { play, rules } from "./model.ts"
import { round, searched } from "./search.ts"
import { type Accepts, factsOf, foreign, idOf, question, type Spec, show, token } from "./spec.ts"
import type { Entry, Ran, Timing } from "./world.ts"

export type Law = (spec: Spec, ran: Ran) => string | undefined

// ---------------------------------------------------------------- checking a law

export interface Case {
  readonly engine: Engine
  readonly spec: Spec
  readonly timing: Timing
  readonly ran: Ran
}

/** Workflows of a family that end after a reasonable number of events; a whole search uses `many`. */
export const generated = (many: number, make: (seed: number) => Spec): ReadonlyArray<Spec> => {
  const specs: Array<Spec> = []
  for (let seed = 1 + 1_000_000 * round; specs.length < searched(many); seed++) {
    const spec = make(seed)
    const played = play(spec, 0, rules, 1500)
    if (played !== undefined && played.emitted.length < 150) specs.push(spec)
  }
  return specs
}

/** What to expect of a search of `many` on an engine that may run only some of them. */
export const searchedBy = ({ oneIn = 1 }: Engine, many: number): number => Math.floor(searched(many) / oneIn)

/** Runs each workflow once per timing. The first timing is calm; the others shuffle ready tasks. */
export const runAll = async (
  engine: Engine,
  specs: ReadonlyArray<Spec>,
  timings: number
): Promise<ReadonlyArray<Case>> => {
  const { oneIn = 1, refuses } = engine
  const cases: Array<Case> = []
  for (const spec of specs) {
    if (spec.seed % oneIn !== 0 || refuses?.(spec) !== undefined) continue
    for (let seed = 0; seed < timings; seed++) {
      // Half of the runs have no observer, which must not make a difference.
      const timing = { seed, shuffled: seed > 0, observed: (spec.seed + seed) % 2 === 0 }
      cases.push({ engine, spec, timing, ran: await engine.run(spec, timing) })
    }
  }
  return cases
}

/** Fails with the smallest workflow that still breaks the law in the same timing. */
export const expectLaw = async (law: Law, cases: Iterable<Case>): Promise<void> => {
  for (const broken of cases) {
    const shown = (spec: Spec) => broken.engine.shows?.(spec) ?? spec
    if (law(shown(broken.spec), broken.ran) !== undefined)
      await failWithSmallest(broken, async (smaller, again) => law(shown(smaller), again))
  }
}

/** Fails with the smallest workflow whose result in this timing differs from the calm one. */
export const expectOneResult = async (cases: Iterable<Case>): Promise<void> => {
  const resultOf = new Map<Spec, string>()
  for (const one of cases) {
    const { engine, spec, ran } = one
    const result = JSON.stringify(ran.outcome)
    const known = resultOf.get(spec)
    if (known === undefined) resultOf.set(spec, result)
    else if (known !== result) {
      await failWithSmallest(one, async (smaller, again) => {
        const calm = JSON.stringify((await engine.run(smaller, calmest)).outcome)
        const other = JSON.stringify(again.outcome)
        const unique = isUnique(smaller)
        return calm === other || !unique ? undefined : `the result is ${other}, and in the calmest timing ${calm}`
      })
    }
  }
}

const calmest: Timing = { seed: 0, shuffled: false, observed: false }

/** Whether the model finds no reason for the result to depend on the order of its moves. */
export const isUnique = (spec: Spec): boolean =>
  [0, 1, 2].every((seed) => {
    const played = play(spec, seed)
    return played !== undefined && played.depends === undefined
  })

const failWithSmallest = async (
  { engine, spec, timing }: Case,
  check: (spec: Spec, ran: Ran) => Promise<string | undefined>
): Promise<never> => {
  const breaks = async (smaller: Spec) => (await check(smaller, await engine.run(smaller, timing))) !== undefined
  const small = await shrink(spec, (smaller) => breaks(smaller).catch(() => false))
  const ran = await engine.run(small, timing)
  const parts = [
    await check(small, ran),
    show(small),
    showRun(small, ran),
    `${engine.name}, timing ${JSON.stringify(timing)}`
  ]
  throw new Error([...parts, `spec ${JSON.stringify(small)}`].join("\n\n"))
}

export const showRun = (spec: Spec, ran: Ran): string =>
  [
    ...ran.record.slice(0, 300).flatMap((entry) => {
      if (entry._tag === "traced") return []
      if (entry._tag === "tick") return [`  ${entry.now} ms`]
      if (entry._tag === "input") return [`  input ${entry.tag} ${entry.id}`]
      if (entry._tag === "result" || entry._tag === "closed") return [`  ${entry._tag}`]
      if (entry._tag === "answered") return [`  answered ${entry.run}: ${entry.by.join(", ")}`]
      if (entry._tag !== "started") return [`  ${entry._tag} ${entry.run}`]
      return [`  started ${entry.run} = ${spec.steps[entry.step]!.name}(${entry.input.join(", ")})`]
    }),
    `  ${JSON.stringify(ran.outcome).slice(0, 500)}`
  ].join("\n")

// ---------------------------------------------------------------- reading the record

const traceOf = (ran: Ran): ReadonlyArray<TraceEntry> =>
  ran.record.flatMap((entry) => (entry._tag === "traced" ? [entry.entry] : []))

const inputsOf = (ran: Ran) => ran.record.flatMap((entry) => (entry._tag === "input" ? [entry] : []))

const count = (list: Iterable<string>): ReadonlyMap<string, number> => {
  const counts = new Map<string, number>()
  for (const item of list) counts.set(item, (counts.get(item) ?? 0) + 1)
  return counts
}

const isEnd = (
  entry: Entry
): entry is Extract<Entry, { readonly _tag: "ended" | "failed" | "cleaned" | "unanswered" }> =>
  entry._tag === "ended" || entry._tag === "failed" || entry._tag === "cleaned" || entry._tag === "unanswered"

const isIntake = (spec: Spec, step: string): boolean => {
  const { kind } = spec.steps.find(({ name }) => name === step)!.accepts
  return kind !== "each" && kind !== "hand"
}

// ---------------------------------------------------------------- the laws

/** The run ends in one of the ways that the contract allows. */
export const ends: Law = (_spec, ran) => {
  if (ran.outcome._tag === "Hung") return "nothing can happen any more, but the run has no result"
  if (ran.outcome._tag === "Endless") return "the run never ends"
  return ran.outcome._tag === "Broken" ? `an unexpected failure: ${ran.outcome.why}` : undefined
}

/** A step gets only events that were emitted to it, each as often as it was emitted. */
export const nothingTwice: Law = (spec, ran) => {
  for (const [index, step] of spec.steps.entries()) {
    const sources = [...ran.runs.flatMap((run) => run.emitted), ...inputsOf(ran)].filter(({ tag }) =>
      step.accepts.of.includes(tag)
    )
    const emitted = count([...(step.accepts.of.includes(spec.start) ? ["start"] : []), ...sources.map(({ id }) => id)])
    const taken = count(ran.runs.filter((run) => run.step === index).flatMap((run) => run.input))
    for (const [id, times] of taken) {
      if (id === idOf(undefined)) continue
      const made = emitted.get(id) ?? 0
      if (times > made) return `step '${step.name}' got ${id} ${times} times, which was emitted to it ${made} times`
    }
  }
  return undefined
}

/** In a stalled run without a race, the error accounts for every event that no step got. */
export const nothingLost: Law = (spec, ran) => {
  if (ran.outcome._tag !== "Stalled" || spec.steps.some(({ accepts }) => accepts.kind === "race")) return undefined
  const emitted = [
    spec.start,
    ...inputsOf(ran).map(({ tag }) => tag),
    ...ran.runs.flatMap((run) => run.emitted.map(({ tag }) => tag))
  ]
  for (const [index, { name, accepts }] of spec.steps.entries()) {
    const came = emitted.filter((tag) => accepts.of.includes(tag)).length
    const inputs = ran.runs.filter((run) => run.step === index).flatMap((run) => run.input)
    const took = inputs.filter((id) => id !== idOf(undefined)).length
    const waiting = accepts.kind === "hand" ? 0 : (ran.outcome.waiting[name] ?? 0)
    if (came !== took + waiting) {
      return `${came} events were emitted to step '${name}': it got ${took}, and ${waiting} are waiting`
    }
  }
  return undefined
}

/** At the end, the order of emission has a position for each event that an intake holds, and no other. */
export const keepsNoPlace: Law = (spec, { outcome, places }) => {
  if (outcome._tag !== "Stalled" || places === undefined) return undefined
  let held = 0
  // An event kept by `ctx.collect` emits nothing itself.
  for (const { name, accepts } of spec.steps) if (accepts.kind !== "hand") held += outcome.waiting[name] ?? 0
  return places === held
    ? undefined
    : `${held} events are held, and there are ${places} places in the order of emission`
}

/** The trace delivers every event once to each step that accepts it, and each delivery ends in one way. */
export const traceAddsUp: Law = (spec, ran) => {
  const trace = traceOf(ran)
  if (trace.length === 0) return undefined
  const pair = (event: string, step: string | null) => `${event} to ${step}`
  const delivered = count(trace.flatMap((at) => (at._tag === "EventDelivered" ? [pair(at.event, at.step)] : [])))
  const taken = count(
    trace.flatMap((at) =>
      at._tag === "InvocationStarted" && at.attempt === 1 ? at.events.map((event) => pair(event, at.step)) : []
    )
  )
  // An event kept by `ctx.collect` counts as taken, but may still be left over or cancelled by a race.
  const isHand = (step: string | null) =>
    spec.steps.some(({ name, accepts }) => name === step && accepts.kind === "hand")
  const putAside = ({ event, step, reason }: { event: string; step: string | null; reason: string }) =>
    isHand(step) && reason !== "ended" && taken.has(pair(event, step))
  const drops = trace.filter((at) => at._tag === "EventDropped")
  const dropped = count(drops.filter((at) => !putAside(at)).map(({ event, step }) => pair(event, step)))
  for (const [what, times] of delivered) {
    if (times !== 1) return `the trace delivers ${what} ${times} times`
    const fates = (dropped.get(what) ?? 0) + (taken.get(what) ?? 0)
    if (fates !== 1)
      return `${what}: in the trace it is taken ${taken.get(what) ?? 0} and dropped ${dropped.get(what) ?? 0} times`
  }
  for (const what of [...taken.keys(), ...dropped.keys()]) {
    if (!delivered.has(what) && !what.endsWith(" to null")) return `${what} was not delivered, but is taken or dropped`
  }
  const names = new Set<string>()
  for (const at of trace) {
    if (at._tag !== "EventEmitted") continue
    if (names.has(at.event)) return `two events are named ${at.event}`
    names.add(at.event)
    for (const { name, accepts } of spec.steps) {
      const accepted = accepts.of.includes(at.tag)
      const known = delivered.has(pair(at.event, name)) || dropped.has(pair(at.event, null))
      if (accepted && !known) return `${at.tag} ${at.event} was not delivered to step '${name}', which accepts it`
      if (!accepted && delivered.has(pair(at.event, name))) return `${at.tag} was delivered to step '${name}'`
    }
  }
  return undefined
}

/** The trace matches the bodies of the steps, and ends with the run. */
export const traceIsTrue: Law = (spec, ran) => {
  const trace = traceOf(ran)
  if (trace.length === 0) return undefined
  const started = ran.record.filter((entry) => entry._tag === "started")
  const traced = trace.filter((at) => at._tag === "InvocationStarted")
  const line = (step: string, attempt: number) => `${step}, attempt ${attempt}`
  const bodies = started.map(({ step, attempt }) => line(spec.steps[step]!.name, attempt)).join("; ")
  const entries = traced.map(({ step, attempt }) => line(step, attempt)).join("; ")
  if (bodies !== entries) return `the trace starts\n  ${entries}\nbut the bodies that ran were\n  ${bodies}`
  if (trace[0]!._tag !== "RunStarted" || trace.at(-1)!._tag !== "RunFinished")
    return "the trace begins or ends with another entry"
  if (trace.some((at, i) => at.seq !== i)) return "the numbers of the entries have a gap"
  const open = new Set<string>()
  for (const at of trace) {
    if (at._tag === "InvocationStarted") open.add(at.invocation)
    if (at._tag === "InvocationEnded") open.delete(at.invocation)
  }
  return open.size > 0 ? `${[...open].join()} have no end in the trace` : undefined
}

/** A step never has more invocations at once than workers, including finalizers. */
export const workersAtMost: Law = (spec, ran) => {
  const busy = new Map<number, Set<number>>()
  const stepOf = new Map<number, number>()
  for (const entry of ran.record) {
    // Between a question and the answers, it may be without a worker.
    if (entry._tag === "asked") busy.get(stepOf.get(entry.run)!)?.delete(entry.run)
    if (entry._tag === "started" || entry._tag === "answered") {
      const step = entry._tag === "started" ? entry.step : stepOf.get(entry.run)!
      stepOf.set(entry.run, step)
      const runs = busy.get(step) ?? new Set()
      busy.set(step, runs.add(entry.run))
      const { name, workers, form } = spec.steps[step]!
      // The runtime cannot wait for an interrupted promise.
      if (typeof workers === "number" && runs.size > workers && !foreign.has(form)) {
        return `${runs.size} runs of step '${name}' at once, which has ${workers} workers`
      }
    } else if (isEnd(entry)) busy.get(stepOf.get(entry.run)!)?.delete(entry.run)
  }
  return undefined
}

/** Whenever time passes, every step with a queue has all its workers busy. */
export const workersAtLeast: Law = (spec, ran) => {
  const queued = new Map<string, number>()
  const busy = new Map<string, number>()
  const paused = new Set<string>()
  // An empty batch leaves no entry if a race drops it.
  const batches = new Map<string, { readonly step: string; readonly events: ReadonlyArray<string> }>()
  const add = (to: Map<string, number>, step: string, n: number) => to.set(step, (to.get(step) ?? 0) + n)
  for (const entry of ran.record) {
    if (entry._tag === "tick") {
      for (const { name, workers } of spec.steps) {
        const running = busy.get(name) ?? 0
        if ((queued.get(name) ?? 0) > 0 && (workers === "unbounded" || running < workers)) {
          return `step '${name}' has ${queued.get(name)} queued and only ${running} of ${workers} workers busy`
        }
      }
    }
    if (entry._tag !== "traced") continue
    const at = entry.entry
    const over =
      at._tag === "EventEmitted"
        ? spec.stops.includes(at.tag)
        : at._tag === "InvocationEnded" && at.outcome === "failed"
    if (over) return undefined
    if (at._tag === "EventDelivered" && !isIntake(spec, at.step)) add(queued, at.step, 1)
    if (at._tag === "EventDropped" && at.step !== null && !isIntake(spec, at.step)) add(queued, at.step, -1)
    if (at._tag === "IntakeFired" && at.events.length > 0) {
      add(queued, at.step, 1)
      batches.set(at.invocation, at)
    }
    if (at._tag === "EventDropped" && at.step !== null && isIntake(spec, at.step)) {
      const dropped = [...batches].find(([, { step, events }]) => step === at.step && events.includes(at.event))
      if (dropped !== undefined && batches.delete(dropped[0])) add(queued, at.step, -1)
    }
    if (at._tag === "InvocationStarted" && at.attempt === 1) {
      if (batches.delete(at.invocation) || !isIntake(spec, at.step)) add(queued, at.step, -1)
      add(busy, at.step, 1)
    }
    if (at._tag === "InvocationPaused") {
      paused.add(at.invocation)
      add(busy, at.step, -1)
    }
    if (at._tag === "InvocationResumed" && paused.delete(at.invocation)) add(busy, at.step, 1)
    if (at._tag === "InvocationEnded" && at.outcome !== "retried" && !paused.delete(at.invocation))
      add(busy, at.step, -1)
  }
  return undefined
}

/** What is streamed, and each question, is in the trace the moment that the step sends it, whatever becomes of the attempt. */
export const heardAtOnce: Law = (spec, ran) => {
  if (traceOf(ran).length === 0) return undefined
  for (const [i, entry] of ran.record.entries()) {
    if (entry._tag === "traced" && entry.entry._tag === "EventEmitted" && spec.stops.includes(entry.entry.tag))
      return undefined
    if (entry._tag !== "asked" && entry._tag !== "streamed") continue
    const tag = entry._tag === "asked" ? question : token
    const next = ran.record[i + 1]
    if (next?._tag === "traced" && next.entry._tag === "EventEmitted" && next.entry.tag === tag) continue
    // An attempt that is over asks nothing.
    if (foreign.has(spec.steps[ran.runs[entry.run]!.step]!.form)) continue
    return `run ${entry.run} has sent a ${tag}, and next came ${JSON.stringify(next)}`
  }
  return undefined
}

/** Every question ends once, each answer is an input that ends one question, and who has the answer asked for it. */
export const answersOnce: Law = (_spec, ran) => {
  const trace = traceOf(ran)
  const open = new Map<string, ReadonlyArray<string>>()
  const sent = new Map(
    trace.flatMap((at) => (at._tag === "EventEmitted" && at.cause === null ? [[at.event, at.tag] as const] : []))
  )
  for (const at of trace) {
    if (at._tag === "QuestionAsked") open.set(`${at.invocation} ${at.question}`, at.awaits)
    if (at._tag === "InvocationStarted" && at.attempt > 1) {
      const left = [...open.keys()].find((name) => name.startsWith(`${at.invocation} `))
      if (left !== undefined) return `a question of ${at.invocation} is open from one attempt to the next`
    }
    if (at._tag !== "QuestionEnded") continue
    const awaits = open.get(`${at.invocation} ${at.question}`)
    if (awaits === undefined) return `a question of ${at.invocation} ends that is not open`
    open.delete(`${at.invocation} ${at.question}`)
    if (at.answer === null) continue
    const tag = sent.get(at.answer)
    if (tag === undefined) return `${at.answer} answers ${at.invocation}: no input, or one that has answered before`
    if (!awaits.includes(tag)) return `a ${tag} answers ${at.invocation}, which awaits ${awaits.join()}`
    sent.delete(at.answer)
  }
  return open.size === 0 ? undefined : `${[...open.keys()].join()} are open at the end of the run`
}

/** Once the result is there, nothing of the run is running or will run. */
export const nothingAfter: Law = (spec, ran) => {
  const at = ran.record.findIndex((entry) => entry._tag === "result")
  const late = ran.record.slice(at + 1).find((entry) => entry._tag !== "tick")
  const name = (run: number) => spec.steps[ran.runs[run]!.step]!.name
  if (late !== undefined && "run" in late && !foreign.has(spec.steps[ran.runs[late.run]!.step]!.form)) {
    return `'${late._tag}' of step '${name(late.run)}' came after the result`
  }
  const open = new Set<number>()
  for (const entry of ran.record.slice(0, at)) {
    if (entry._tag === "started") open.add(entry.run)
    if (isEnd(entry)) open.delete(entry.run)
  }
  for (const run of open) {
    if (!foreign.has(spec.steps[ran.runs[run]!.step]!.form))
      return `step '${name(run)}' still ran when the result was there`
  }
  return undefined
}

/**
 * A gather outside its own upstream runs at most once per scope, and only when nothing upstream of it in that scope is
 * running or will run.
 */
export const gathersOnce: Law = (spec, ran) => {
  const { fed, inCircle, runsOfInputs, upstream } = factsOf(spec)
  const trace = traceOf(ran)
  const causeOf = new Map(trace.flatMap((at) => (at._tag === "EventEmitted" ? [[at.event, at]] : [])))
  const scopeOf = new Map(trace.flatMap((at) => (at._tag === "InvocationStarted" ? [[at.invocation, at.scope]] : [])))
  const indexOf = (name: string) => spec.steps.findIndex((step) => step.name === name)
  /** The opening events around an invocation, innermost first. */
  const around = (invocation: string): ReadonlyArray<string> => {
    const openers: Array<string> = []
    for (let scope = scopeOf.get(invocation); scope; ) {
      openers.push(scope)
      const { cause } = causeOf.get(scope)!
      scope = cause === null ? null : scopeOf.get(cause)
    }
    return openers
  }
  for (const [i, at] of trace.entries()) {
    if (at._tag !== "InvocationStarted" || at.attempt > 1) continue
    const index = indexOf(at.step)
    const { accepts, emits } = spec.steps[index]!
    if (accepts.kind !== "gather" || emits.some((tag) => inCircle(index, tag))) continue
    // Held events that wait for an input do not hold back the gather: it may run now, and again later.
    if (fed(index) && (accepts.per !== undefined || !runsOfInputs(index))) continue
    // A deadline of an intake with events of several scopes belongs to one scope: the others do not wait for it.
    const ticksElsewhere = ({ within, per }: Accepts) => within !== undefined && per !== accepts.per
    if (accepts.per !== undefined && [...upstream(index)].some((i) => ticksElsewhere(spec.steps[i]!.accepts))) continue
    const running = new Set<string>()
    for (const [j, other] of trace.entries()) {
      if (other._tag === "InvocationEnded" && j < i && other.outcome !== "retried") running.delete(other.invocation)
      if (other._tag !== "InvocationStarted" || j === i || other.attempt > 1) continue
      const inside = at.scope === null || around(other.invocation).includes(at.scope)
      if (!inside) continue
      if (other.step === at.step && other.scope === at.scope)
        return `gather '${at.step}' ran twice in ${at.scope ?? "the run"}`
      if (!upstream(index).has(indexOf(other.step))) continue
      if (j > i) return `step '${other.step}' began after gather '${at.step}', which is downstream of it, had run`
      running.add(other.invocation)
    }
    if (running.size > 0) return `gather '${at.step}' ran while ${[...running].join()} upstream of it were running`
  }
  return undefined
}

/** What holds for each run of any workflow, in words. What the model can do is `follow`. */
export const laws: ReadonlyArray<readonly [string, Law]> = [
  ["ends with a stop, a failure or a stall", ends],
  ["gives no step an event twice, or one that was never emitted or sent", nothingTwice],
  ["loses nothing: a stall accounts for every event that no step got", nothingLost],
  ["keeps a position in the order of emission for each held event, and no other", keepsNoPlace],
  ["traces each event to each step that accepts it, with one end per delivery", traceAddsUp],
  ["traces what really ran", traceIsTrue],
  ["never exceeds a step's workers", workersAtMost],
  ["leaves no worker idle while its step has a queue", workersAtLeast],
  ["runs a gather once per round, and only when nothing upstream is running, asking or about to run", gathersOnce],
  ["leaves nothing running after its result", nothingAfter]
]
