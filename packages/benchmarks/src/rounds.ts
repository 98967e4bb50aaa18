/**
 * All candidates, all workloads, in rounds: in each round every candidate has its turn, and each round begins with another
 * one, so that what else the machine does meets all of them alike.
 */
import type { Measured, Runner } from "./runner.ts"
import type { Workload } from "./workloads.ts"

/** What came of one candidate at one workload. */
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
  /** For how many seconds each candidate works before its first round that is counted. */
  readonly warmUp: number
  /** And for how many before each that is counted: who has waited for the others is not as warm as it was. */
  readonly rewarm: number
  /** Whether each workload has processes of its own. */
  readonly newProcesses: boolean
  /** How many seconds a candidate may take for one round. */
  readonly cap: number
  /** Who takes longer than this has fewer rounds. */
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

/** Has a candidate work for so many seconds; `false` where it cannot. */
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
    // What is slow is warm for most of its first round, which counts.
    if (measured.millis > plan.slow * 1000) add(outcomes, runner, measured)
  }
  return true
}

/** One workload for all who can do it. */
const contest = async (workload: Workload, runners: ReadonlyArray<Runner>, plan: Plan) => {
  const outcomes = new Map<Runner, Outcome>()
  const able = runners.filter(({ names }) => names.includes(workload.name))
  // What one workload has taught the compiler, or left in memory, is not for the next.
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
