/**
 * The workloads: their sizes and their correct answers.
 */

/** One workload at one size. */
export interface Workload {
  readonly name: Name
  /** A name for people. */
  readonly title: string
  /** The divisor of the time. */
  readonly unit: "run" | "item" | "hop" | "document" | "whole"
  readonly size: number
  /** Repetitions in one round. */
  readonly times: number
  /** Units in one repetition. */
  readonly units: number
  /** The answer that every run must give. */
  readonly answer: number | string
}

export const names = [
  "seed",
  "promises",
  "fan",
  "loop",
  "chain",
  "sleepers",
  "mixed",
  "million",
  "alive",
  "gather",
  "scopes",
  "race"
] as const
export type Name = (typeof names)[number]

/** The number of steps in the chain. */
export const chainLength = 100
/** The number of workers for the sleepers. */
export const sleepersAtOnce = 64
/** How long each sleeper sleeps. */
export const sleepMillis = 10
/** The number of items in progress under back-pressure. */
export const itemsAtOnce = 64
/** How long each concurrent run waits. */
export const aliveMillis = 100

const sumTo = (n: number) => (n * (n - 1)) / 2

const workload = (
  name: Name,
  title: string,
  unit: Workload["unit"],
  size: number,
  times: number,
  units: number,
  answer: number | string
): Workload => ({ name, title, unit, size, times, units, answer })

const fan = (size: number, times: number) =>
  workload("fan", `fan-out and fan-in of ${size.toLocaleString("en")}`, "item", size, times, size, 2 * sumTo(size))

const sleepers = (size: number) =>
  workload(
    "sleepers",
    `${size.toLocaleString("en")} sleepers on ${sleepersAtOnce} workers`,
    "whole",
    size,
    1,
    1,
    sumTo(size)
  )

const chain = (size: number, times: number) => {
  const title = `${size.toLocaleString("en")} events through ${chainLength} steps`
  return workload("chain", title, "hop", size, times, size * chainLength, sumTo(size) + size * chainLength)
}

const million = (size: number) =>
  workload("million", `${size.toLocaleString("en")} items with back-pressure`, "item", size, 1, size, 2 * sumTo(size))

const loop = (size: number, times: number) =>
  workload("loop", `a loop of ${size.toLocaleString("en")} hops`, "hop", size, times, size, size)

const alive = (size: number) =>
  workload("alive", `${size.toLocaleString("en")} runs alive at once`, "run", size, 1, size, size)

const gather = (size: number, times: number) =>
  workload("gather", `gather ${size.toLocaleString("en")} in order`, "item", size, times, size, 2 * sumTo(size))

const scopes = (size: number, times: number) => {
  const title = `a join for each of ${size.toLocaleString("en")} documents`
  return workload("scopes", title, "document", size, times, size, 3 * sumTo(size) + size)
}

const seedAnswer = "Query 1, Query 2, Query 3"

/** The workloads of the published figures. */
export const full: ReadonlyArray<Workload> = [
  workload("seed", "seed flow", "run", 3, 10_000, 1, seedAnswer),
  workload("promises", "seed flow, a promise each", "run", 3, 10_000, 1, seedAnswer),
  fan(1_000, 100),
  fan(10_000, 10),
  fan(100_000, 1),
  loop(100_000, 1),
  chain(1_000, 1),
  sleepers(2_000),
  workload("mixed", "mixed join", "run", 3, 10_000, 1, "c, a, b"),
  gather(10_000, 10),
  scopes(10_000, 1),
  workload("race", "race of three", "run", 3, 2_000, 1, 1),
  alive(10_000),
  million(1_000_000)
]

/** A small version for a quick look. */
export const quick: ReadonlyArray<Workload> = [
  workload("seed", "seed flow", "run", 3, 1_000, 1, seedAnswer),
  workload("promises", "seed flow, a promise each", "run", 3, 1_000, 1, seedAnswer),
  fan(1_000, 10),
  fan(10_000, 1),
  loop(10_000, 1),
  chain(100, 1),
  sleepers(640),
  workload("mixed", "mixed join", "run", 3, 1_000, 1, "c, a, b"),
  gather(1_000, 10),
  scopes(1_000, 1),
  workload("race", "race of three", "run", 3, 200, 1, 1),
  alive(1_000),
  million(50_000)
]
