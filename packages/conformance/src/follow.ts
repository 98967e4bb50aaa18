// Checks whether the model can do what really happened. The record shows when each invocation began and when each emission was
// about to be made, but not the order in which the runtime handled simultaneous work, so this searches for one. If there is
// none, the runtime did something that the contract does not allow.
import {
  answersOf,
  begin,
  canGo,
  canResume,
  canStart,
  type Delivery,
  deadlines,
  type Event,
  fork,
  isAsking,
  isEmissionOrder,
  move,
  nameOf,
  type State,
  showOutcome
} from "./model.ts"
import { foreign, holdsBack, idOf, retries, type Spec, type StepSpec, whole } from "./spec.ts"
import type { Entry, Ran } from "./world.ts"

type Told = {
  readonly run: number
  readonly what: "sent" | "ended" | "cleaned" | "outside" | "asked" | "answered"
  readonly answers?: ReadonlyArray<string>
}

/** Stands for the sender of events from outside. */
const outside = -1

interface At {
  readonly state: State
  /** Number of entries accounted for. */
  readonly entry: number
  /** Reports from the bodies that the model has not processed yet. */
  readonly told: ReadonlyArray<Told>
  /** The model's number for each invocation in the record. */
  readonly runs: ReadonlyMap<number, number>
}

/** One way to continue from a state; it changes the state. */
type Way = (state: State) => At

/** Maximum number of states to visit. */
const budget = 10_000

const cutShort: ReadonlySet<string> = new Set(["TimedOut", "Interrupted"])

/** Undefined if the model can do the same, otherwise a description of what it could not follow. */
export const follow = (spec: Spec, ran: Ran): string | undefined => {
  const record = ran.record.filter((entry) => entry._tag !== "traced")
  const tells = readTold(spec, record)
  const outcome = showOutcome(ran.outcome as any)
  const seen = new Set<string>()
  let looks = 0
  let furthest = -1
  let why = ""
  const stuck = (at: At, reason: string): false => {
    if (at.entry > furthest) {
      furthest = at.entry
      why = `${reason}\n${showState(at.state)}`
    }
    return false
  }

  const look = (from: At): boolean => {
    if (++looks > budget) return false
    if (looks > 500) {
      const name = [from.entry, JSON.stringify(from.told), [...from.runs].join(), nameOf(from.state)].join("#")
      if (seen.has(name)) return false
      seen.add(name)
    }
    let at = from
    for (; at.entry < record.length; at = { ...at, entry: at.entry + 1 }) {
      const entry = record[at.entry]!
      if (entry._tag === "started" ? entry.attempt === 1 : entry._tag === "tick" || entry._tag === "result") break
      const told = tells.get(entry)
      if (told !== undefined) at = { ...at, told: [...at.told, told] }
    }
    if (at.state.outcome !== undefined) {
      const late = record.slice(at.entry).find((entry) => entry._tag === "started")
      if (late !== undefined) return stuck(at, `${JSON.stringify(late)} after the model's run was over`)
      return showOutcome(at.state.outcome) === outcome || stuck(at, `the outcome was ${outcome}`)
    }
    const ways = waysFrom(at)
    const last = ways.pop()
    // The model cannot be ended from outside, so it follows only what came before.
    if (at.entry === record.length && cutShort.has(ran.outcome._tag)) return true
    if (last === undefined) {
      return stuck(at, `the model cannot come to entry ${at.entry}, ${JSON.stringify(record[at.entry] ?? "the end")}`)
    }
    return ways.some((way) => look(way(fork(at.state)))) || look(last(at.state))
  }

  const waysFrom = (at: At): Array<Way> => {
    const ways: Array<Way> = []
    const entry = record[at.entry]
    for (const step of spec.steps.keys()) {
      if (!canResume(at.state, step)) continue
      ways.push((state) => {
        move(state, { _tag: "resume", step })
        return { ...at, state }
      })
    }
    if (entry?._tag === "started") {
      const input = canStart(at.state, entry.step) ? inputOf(at.state, entry.step, entry.input) : undefined
      if (input !== undefined) {
        ways.push((state) => {
          const [head, ...rest] = state.lanes[entry.step]!
          state.lanes[entry.step] = [{ ...head!, input }, ...rest]
          const runs = new Map(at.runs).set(entry.run, state.started)
          move(state, { _tag: "start", step: entry.step })
          return { ...at, state, runs, entry: at.entry + 1 }
        })
      }
    } else if (entry?._tag === "tick" && at.told.every((told) => !canDo(at, told))) {
      // Time passes only if nothing can be done at once: every step has as many busy workers as allowed.
      const idle = spec.steps.find((_, step) => canStart(at.state, step) || canResume(at.state, step))
      const late = deadlines(at.state).find((deadline) => deadline.at <= at.state.now || deadline.at < entry.now)
      if (idle !== undefined) stuck(at, `time went on while step '${idle.name}' had something queued and a free worker`)
      else if (late !== undefined) stuck(at, `time went on past the deadline of step '${spec.steps[late.step]!.name}'`)
      else {
        ways.push((state) => {
          state.now = entry.now
          return { ...at, state, entry: at.entry + 1 }
        })
      }
    }
    for (const { intake, at: time } of deadlines(at.state)) {
      if (time > at.state.now) continue
      ways.push((state) => {
        move(state, { _tag: "expire", intake })
        return { ...at, state }
      })
    }
    for (const told of at.told) {
      // Reports of one invocation are ordered; reports of different ones are not.
      if (at.told.find((other) => other.run === told.run) !== told || !canDo(at, told)) continue
      ways.push((state) => {
        const left = at.told.filter((other) => other !== told)
        if (told.what === "outside") {
          move(state, { _tag: "outside" })
          return { ...at, state, told: left }
        }
        const run = at.runs.get(told.run)!
        const known = state.runs.find((other) => other.number === run)
        const over = known?.interrupted ? passing : known?.unanswered ? hopeless : none
        const moves = told.what !== "answered" && !over.has(told.what)
        if (known !== undefined && moves) move(state, { _tag: "go", run })
        return { ...at, state, told: left }
      })
    }
    for (const run of at.state.runs) {
      // An interrupted promise cannot be waited for.
      if (!run.interrupted || !foreign.has(spec.steps[run.step]!.form)) continue
      ways.push((state) => {
        move(state, { _tag: "go", run: run.number })
        return { ...at, state }
      })
    }
    return ways
  }

  const followed = look({ state: begin(spec), entry: 0, told: [], runs: new Map() })
  // A few large specs have more orders than can be searched; they are skipped.
  return followed || looks > budget ? undefined : why
}

/** "Cleaned" applies only if the invocation was interrupted, which may still happen. */
const canDo = (at: At, told: Told): boolean => {
  const run = at.state.runs.find((other) => other.number === at.runs.get(told.run))
  if (run === undefined || run.interrupted) return true
  if (told.what === "asked") return run.unanswered || isAsking(at.state, run)
  if (told.what === "answered") return run.place === "working" && answersOf(run).join() === told.answers!.join()
  return told.what !== "cleaned" && canGo(at.state, run) && !isAsking(at.state, run)
}

const none: ReadonlySet<Told["what"]> = new Set()
/** Promises ask the second of two questions though the first has failed. */
const hopeless: ReadonlySet<Told["what"]> = new Set(["asked"])
/** Means nothing of an invocation that has been interrupted. */
const passing: ReadonlySet<Told["what"]> = new Set(["sent", "asked", "answered"])

/** The meaning of each entry for the model; most entries only repeat what it does by itself. */
const readTold = (spec: Spec, record: ReadonlyArray<Entry>): ReadonlyMap<Entry, Told> => {
  const told = new Map<Entry, Told>()
  const steps = new Map<number, StepSpec>()
  const lastAttempt = new Map<number, number>()
  for (const entry of record) {
    if (entry._tag !== "started") continue
    steps.set(entry.run, spec.steps[entry.step]!)
    lastAttempt.set(entry.run, entry.attempt)
  }
  // A step interrupted in its last operation has ended only when it has cleaned up.
  const cleaned = new Set(record.flatMap((entry) => (entry._tag === "cleaned" ? [entry.run] : [])))
  const attempt = new Map<number, number>()
  for (const entry of record) {
    if (entry._tag === "started") attempt.set(entry.run, entry.attempt)
    if (entry._tag === "input" || entry._tag === "closed") told.set(entry, { run: outside, what: "outside" })
    if (!("run" in entry) || entry._tag === "started") continue
    const { run, _tag } = entry
    const step = steps.get(run)!
    if (_tag === "streamed") continue
    if (_tag === "cleaned") told.set(entry, { run, what: "cleaned" })
    else if (_tag === "asked") told.set(entry, { run, what: "asked" })
    else if (_tag === "answered") told.set(entry, { run, what: "answered", answers: entry.by })
    else if (_tag === "unanswered") told.set(entry, { run, what: "ended" })
    else if (_tag === "sent") {
      if (!whole.has(step.form) && !holdsBack(step)) told.set(entry, { run, what: "sent" })
    } else if (step.asks !== undefined && attempt.get(run) !== lastAttempt.get(run)) {
      // The next attempt asks anew.
      told.set(entry, { run, what: "ended" })
    } else if (!cleaned.has(run)) {
      // A failed attempt that is retried settles nothing.
      const again = _tag === "failed" && step.failure === "retry" && attempt.get(run)! <= retries
      // If it was not retried, it had been interrupted.
      if (attempt.get(run) === lastAttempt.get(run)) told.set(entry, { run, what: again ? "cleaned" : "ended" })
    }
  }
  return told
}

/**
 * The events of the first delivery in the step's lane if they match; undefined otherwise. If the contract leaves the
 * order of a gather open, the record decides; later outputs show whether it was kept.
 */
const inputOf = (state: State, step: number, ids: ReadonlyArray<string>): Delivery["input"] | undefined => {
  const { input } = state.lanes[step]![0]!
  const gathers = state.spec.steps[step]!.accepts.kind === "gather"
  if (!gathers) return input.map(idOf).join() === ids.join() ? input : undefined
  if (!isEmissionOrder(input as ReadonlyArray<Event>, ids)) return undefined
  const left = [...input]
  return ids.flatMap((id) =>
    left.splice(
      left.findIndex((event) => idOf(event) === id),
      1
    )
  )
}

const showState = (state: State): string => {
  const { steps } = state.spec
  return [
    ...state.lanes.flatMap((lane, i) =>
      lane.map((delivery) => `  queued for ${steps[i]!.name}: ${delivery.input.map(idOf).join() || "[]"}`)
    ),
    ...state.runs.map(
      (run) =>
        `  ${run.interrupted ? "interrupted" : "running"} ${steps[run.step]!.name}: ${run.input.map(idOf).join() || "[]"}`
    ),
    ...[...state.intakes.values()]
      .filter((intake) => intake.held.length > 0)
      .map((intake) => `  held by ${steps[intake.step]!.name}: ${intake.held.map(({ id }) => id).join()}`),
    ...deadlines(state).map(({ step, at }) => `  deadline of ${steps[step]!.name} at ${at}`),
    `  at ${state.now}${state.open ? ", inputs open" : ""}, outcome ${showOutcome(state.outcome)}`
  ].join("\n")
}
