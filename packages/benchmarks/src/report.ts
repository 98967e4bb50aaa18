/**
 * The tables of docs/performance.md.
 */
import type { Outcome, Outcomes } from "./rounds.ts"
import type { Runner } from "./runner.ts"
import { median, spread } from "./statistics.ts"
import type { Workload } from "./workloads.ts"

/** Microseconds per unit. */
export const cost = (workload: Workload, outcome: Outcome | undefined): number | undefined =>
  outcome !== undefined && "millis" in outcome
    ? (median(outcome.millis) * 1000) / workload.units / workload.times
    : undefined

/** Three significant digits at any magnitude. */
export const digits = (value: number): string =>
  value >= 100 ? Math.round(value).toLocaleString("en") : value.toPrecision(value >= 10 ? 3 : 2)

const time = (workload: Workload, outcome: Outcome): string => {
  if ("over" in outcome) return `over ${outcome.over} s`
  if ("wrong" in outcome) return "wrong"
  const micros = cost(workload, outcome)!
  const value = workload.unit === "whole" ? `${digits(micros / 1000)} ms` : digits(micros)
  return `${value} ±${Math.round(spread(outcome.millis) * 100)} %`
}

const table = (head: ReadonlyArray<string>, rows: ReadonlyArray<ReadonlyArray<string>>): string =>
  [head, head.map((_, column) => (column === 0 ? "---" : "---:")), ...rows]
    .map((cells) => `| ${cells.join(" | ")} |`)
    .join("\n")

/** The unit of a time. */
export const each = ({ unit }: Workload): string =>
  unit === "whole" ? "for all" : unit === "item" ? "an item" : `a ${unit}`

/** The time of each candidate for each workload: one row per candidate. */
export const times = (outcomes: Outcomes, runners: ReadonlyArray<Runner>): string => {
  const workloads = [...outcomes.keys()]
  return table(
    ["", ...workloads.map((workload) => `${workload.title}, ${each(workload)}`)],
    runners.map((runner) => [
      runner.title,
      ...workloads.map((workload) => {
        const outcome = outcomes.get(workload)!.get(runner)
        return outcome === undefined ? "–" : time(workload, outcome)
      })
    ])
  )
}

/** The memory of a million items and of 10,000 concurrent runs. */
export const memory = (outcomes: Outcomes, runners: ReadonlyArray<Runner>): string => {
  const of = (name: Workload["name"]) => [...outcomes].find(([workload]) => workload.name === name)
  const million = of("million")
  const alive = of("alive")
  const cell = (found: typeof million, runner: Runner, say: (outcome: any, workload: Workload) => string) => {
    const outcome = found?.[1].get(runner)
    return outcome !== undefined && "millis" in outcome ? say(outcome, found![0]) : "–"
  }
  return table(
    ["", `${million?.[0].title ?? ""}: peak resident memory, MiB`, `${alive?.[0].title ?? ""}: heap a run, kB`],
    runners.map((runner) => [
      runner.title,
      cell(million, runner, ({ memory }) => digits(memory)),
      cell(alive, runner, ({ heap }, { size }) => digits((heap * 1024) / size))
    ])
  )
}

/** A limit for a workload, as a multiple of another candidate's time. */
export interface Target {
  readonly workload: string
  readonly size?: number
  readonly than: string
  readonly atMost: number
}

export const targets: ReadonlyArray<Target> = [
  { workload: "seed", than: "Effect queues by hand", atMost: 0.3 },
  { workload: "seed", than: "p-queue", atMost: 1 },
  { workload: "fan", than: "Effect queues by hand", atMost: 0.3 },
  { workload: "fan", than: "rxjs", atMost: 2 },
  { workload: "loop", than: "Effect queues by hand", atMost: 0.3 },
  { workload: "loop", than: "rxjs", atMost: 2 },
  { workload: "chain", than: "Effect queues by hand", atMost: 0.3 },
  { workload: "chain", than: "rxjs", atMost: 2 },
  { workload: "sleepers", than: "promise pool", atMost: 1.1 },
  { workload: "mixed", than: "Effect queues by hand", atMost: 0.3 }
]

const verdict = (ratio: number, atMost: number) => (ratio <= atMost ? "yes" : "**no**")

/** Whether the targets are met, as ratios within one run of the benchmark. */
export const aims = (outcomes: Outcomes, runners: ReadonlyArray<Runner>): string => {
  const named = (title: string) => runners.find((runner) => runner.title === title)
  const us = named("stepgraph")
  const rows: Array<ReadonlyArray<string>> = []
  for (const { workload: name, than, atMost } of targets) {
    for (const [workload, came] of outcomes) {
      if (workload.name !== name) continue
      const ours = cost(workload, us && came.get(us))
      const other = named(than)
      const theirs = cost(workload, other && came.get(other))
      if (ours === undefined || theirs === undefined) continue
      const ratio = ours / theirs
      rows.push([workload.title, `${atMost} × ${than}`, `${ratio.toFixed(2)} ×`, verdict(ratio, atMost)])
    }
  }
  const fans = [...outcomes].filter(([{ name }]) => name === "fan")
  const small = fans[0]
  const large = fans.at(-1)
  if (us !== undefined && small !== undefined && large !== undefined && small !== large) {
    const ratio = cost(large[0], large[1].get(us))! / cost(small[0], small[1].get(us))!
    const title = `an item of ${large[0].size.toLocaleString("en")}, relative to one of ${small[0].size.toLocaleString("en")}`
    rows.push([title, "1.5 ×", `${ratio.toFixed(2)} ×`, verdict(ratio, 1.5)])
  }
  const million = [...outcomes].find(([{ name }]) => name === "million")
  const forEach = named("Effect.forEach")
  if (us !== undefined && forEach !== undefined && million !== undefined) {
    const ours = million[1].get(us)
    const theirs = million[1].get(forEach)
    if (ours !== undefined && theirs !== undefined && "memory" in ours && "memory" in theirs) {
      const ratio = ours.memory / theirs.memory
      rows.push([`memory, ${million[0].title}`, "1 × Effect.forEach", `${ratio.toFixed(2)} ×`, verdict(ratio, 1)])
    }
  }
  return table(["stepgraph", "aim: at most", "measured", "reached"], rows)
}

/** All workloads in which another candidate is faster, and by how much. */
export const slower = (outcomes: Outcomes, runners: ReadonlyArray<Runner>): string => {
  const us = runners.find(({ title }) => title === "stepgraph")
  const lines: Array<string> = []
  for (const [workload, came] of outcomes) {
    const ours = cost(workload, us && came.get(us))
    if (ours === undefined) continue
    const faster = runners
      .filter(({ title }) => !title.startsWith("stepgraph"))
      .map((runner) => ({ title: runner.title, ratio: ours / (cost(workload, came.get(runner)) ?? Infinity) }))
      .filter(({ ratio }) => ratio > 1.05)
      .sort((a, b) => b.ratio - a.ratio)
    if (faster.length === 0) continue
    lines.push(`- ${workload.title}: ${faster.map(({ title, ratio }) => `${title} ${digits(ratio)} ×`).join(", ")}`)
  }
  return lines.join("\n")
}

/** The size and import time of a program before it does any work. */
export const beginnings = (
  imports: ReadonlyMap<string, number>,
  sizes: { readonly alone: number; readonly seed: number; readonly entries: ReadonlyMap<string, number> }
): string => {
  const kilobytes = (bytes: number) => `${digits(bytes / 1000)} kB`
  const rows = [
    ["a program with only `effect/Effect` and `effect/Schema`", kilobytes(sizes.alone)],
    ["the seed flow on stepgraph", kilobytes(sizes.seed)],
    ...[...sizes.entries].map(([entry, size]) => [
      `everything that \`stepgraph${entry.slice(1)}\` exports`,
      kilobytes(size)
    ])
  ]
  const waits = [...imports].map(([title, millis]) => [title, `${digits(millis)} ms`])
  return `${table(["bundled", "minified and compressed"], rows)}\n\n${table(["import in a new process", "time"], waits)}`
}
