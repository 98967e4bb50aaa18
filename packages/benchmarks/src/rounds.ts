/**
 * Measures all candidates on all workloads in rounds. Every candidate takes a turn in each round, and each round starts
 * with another one, so disturbances of the machine affect all alike.
 */
import type { Measured, Runner } from "./runner.ts"
import type { Workload } from "./workloads.ts"

/** The results of one candidate for one workload. */
export type Outcome =
  | {
      readonly millis: ReadonlyArray<number>
      readonly cpu: ReadonlyArray<number>
      readonly memory: number
      readonly heap: number
    }
  | { readonly over: number }
  | { readonly wrong: string }

export interface Plan {
  readonly rounds: number
  /** Warm-up of a candidate before its first counted round, in seconds. */
  readonly warmUp: number
  /** Warm-up before each later round, in seconds: waiting for the others cools a candidate down. */
  readonly rewarm: number
  /** Whether each workload runs in separate processes. */
  readonly newProcesses: boolean
  /** The longest allowed round, in seconds. */
  readonly cap: number
  /** Candidates slower than this get fewer rounds. */
  readonly slow: number
  readonly slowRounds: number
}

export type Outcomes = ReadonlyMap<Workload, ReadonlyMap<Runner, Outcome>>

const turn = <A>(values: ReadonlyArray<A>, by: number): ReadonlyArray<A> => {
  const first = by % values.length
  return [...values.slice(first), ...values.slice(0, first)]
}

const add = (outcomes: Map<Runner, Outcome>, runner: Runner, measured: Measured): void => {
  const before = outcomes.get(runner)
  if (!("millis" in measured)) outcomes.set(runner, measured)
  else {
    const { memory, heap } = measured
    const kept = before !== undefined && "millis" in before ? before : { millis: [], cpu: [] }
    outcomes.set(runner, { millis: [...kept.millis, measured.millis], cpu: [...kept.cpu, measured.cpu], memory, heap })
  }
}

/** Lets a candidate work for so many seconds; `false` if it fails. */
const warmUp = async (
  runner: Runner,
  workload: Workload,
  plan: Plan,
  seconds: number,
  outcomes: Map<Runner, Outcome>
): Promise<boolean> => {
  for (let left = seconds * 1000; left > 0; ) {
    const measured = await runner.measure(workload, plan.cap)
    if (!("millis" in measured)) {
      outcomes.set(runner, measured)
      return false
    }
    left -= measured.millis
    // A slow candidate is warm for most of its first round, so that round counts.
    if (measured.millis > plan.slow * 1000) add(outcomes, runner, measured)
  }
  return true
}

/** One workload for every candidate that supports it. */
const contest = async (workload: Workload, runners: ReadonlyArray<Runner>, plan: Plan) => {
  const outcomes = new Map<Runner, Outcome>()
  const able = runners.filter(({ names }) => names.includes(workload.name))
  // A workload must not inherit compiled code or memory from the previous one.
  if (plan.newProcesses) for (const runner of able) runner.end()
  for (const runner of able) await warmUp(runner, workload, plan, plan.warmUp, outcomes)
  for (let round = 0; round < plan.rounds; round++) {
    for (const runner of turn(able, round)) {
      const before = outcomes.get(runner)
      if (before !== undefined && !("millis" in before)) continue
      const isSlow = before !== undefined && before.millis[0]! > plan.slow * 1000
      if (isSlow && before.millis.length >= plan.slowRounds) continue
      const warm = isSlow || (await warmUp(runner, workload, plan, plan.rewarm, outcomes))
      if (warm) add(outcomes, runner, await runner.measure(workload, plan.cap))
    }
  }
  if (plan.newProcesses) for (const runner of able) runner.end()
  return outcomes
}

export const inRounds = async (
  workloads: ReadonlyArray<Workload>,
  runners: ReadonlyArray<Runner>,
  plan: Plan,
  tell: (workload: Workload, outcomes: ReadonlyMap<Runner, Outcome>) => void
): Promise<Outcomes> => {
  const all = new Map<Workload, ReadonlyMap<Runner, Outcome>>()
  for (const workload of workloads) {
    const outcomes = await contest(workload, runners, plan)
    all.set(workload, outcomes)
    tell(workload, outcomes)
  }
  return all
}
