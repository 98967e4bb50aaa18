/**
 * A run's timeline for a terminal.
 */
import { axisOf, levels, type Span } from "./levels.ts"
import { painter, type TextOptions } from "./terminal.ts"
import { count, oneLine, shorten, time } from "./text.ts"
import type { Moment, Timeline, TimelineInvocation, TimelineStep } from "./timeline.ts"
import { waitsOf } from "./waits.ts"

const mostRows = 8
/** The smallest wait that is drawn, as a share of the run. */
export const worthSeeing = 0.01
/** The maximum width of the picture, whatever the terminal's width. */
const widest = 1000
const heights = " ▁▂▃▄▅▆▇█"
const asking = "┄"
const marks = { failed: "✕", retried: "↻", interrupted: "⊘" } as const

export const timelineText = (run: Timeline, { width = 100, colour = false }: TextOptions = {}): string => {
  const paint = painter(colour)
  const axis = axisOf(run)
  const at = ({ at, seq }: Moment) => (axis === "time" ? at : seq)
  const total = axis === "time" ? run.duration : run.entries
  const name = Math.min(24, Math.max(4, ...run.steps.map((step) => shorten(step.name, 24).length)))
  const room = Math.min(widest, Math.max(20, (Number.isNaN(width) ? 100 : width) - name - 36))
  const place = (moment: Moment) => Math.min(room - 1, Math.max(0, Math.floor((at(moment) / (total || 1)) * room)))
  const critical = new Set(run.critical.map(({ invocation }) => invocation))

  const byStep = new Map<string, Array<TimelineInvocation>>(run.steps.map((step) => [step.name, []]))
  for (const invocation of run.invocations) byStep.get(invocation.step)!.push(invocation)

  const waits = waitsOf(run, axis)
  const drawRow = (row: ReadonlyArray<TimelineInvocation>): string => {
    const cells = new Array<string>(room).fill(" ")
    const ranks = new Uint8Array(room)
    const put = (i: number, rank: number, cell: string) => {
      if (ranks[i]! > rank) return
      ranks[i] = rank
      cells[i] = cell
    }
    for (const invocation of row) {
      const onPath = critical.has(invocation.id)
      const [from, to] = [place(invocation.start), place(invocation.end)]
      const bar = onPath ? paint("magenta", "═") : paint("blue", "━")
      for (let i = from; i <= Math.max(from, to - 1); i++) put(i, onPath ? 2 : 1, bar)
      for (const { start, end } of invocation.questions) {
        for (let i = place(start); i <= Math.max(place(start), place(end) - 1); i++) put(i, 2, paint("dim", asking))
      }
      for (const { from, to } of invocation.limits) {
        for (let i = place(from); i < place(to); i++) put(i, onPath ? 2 : 1, paint("yellow", "┄"))
      }
      for (const { outcome, end } of invocation.attempts) {
        const mark = marks[outcome as keyof typeof marks]
        if (mark !== undefined)
          put(place(end), outcome === "failed" ? 4 : 3, paint(outcome === "failed" ? "red" : "yellow", mark))
      }
    }
    return cells.join("").trimEnd()
  }

  const drawStep = (step: TimelineStep): ReadonlyArray<string> => {
    const own = byStep.get(step.name)!
    const rows = Array.from({ length: Math.min(step.rows, mostRows) }, (_, row) =>
      drawRow(own.filter((one) => one.row === row))
    )
    const left = [
      shorten(step.name, name).padEnd(name),
      String(step.invocations).padStart(7),
      `${Math.min(step.rows, 99999)}${step.workers === undefined ? "" : step.workers === "unbounded" ? "/∞" : `/${step.workers}`}`.padStart(
        9
      ),
      `${Math.round(step.utilisation * 100)} %`.padStart(6),
      time(step.waited).padStart(10)
    ].join("")
    const blank = " ".repeat(left.length)
    const queue = step.longestWait < worthSeeing * run.duration ? undefined : queued(waits.get(step.name)!, total, room)
    const lines = [...(queue === undefined ? [] : [paint("yellow", queue)]), ...rows]
    if (step.rows > mostRows) lines.push(paint("dim", `and ${count(step.rows - mostRows, "worker")} more`))
    if (lines.length === 0) lines.push("")
    return lines.map((line, i) => `${i === 0 ? left : blank}  ${line}`.trimEnd())
  }

  const scale = axis === "time" ? time(total) : count(total, "entry").replace("entrys", "entries")
  const header = `${"step".padEnd(name)}${"runs".padStart(7)}${"at work".padStart(9)}${"busy".padStart(6)}${"waited".padStart(10)}`
  return [
    paint("bold", title(run)),
    "",
    paint("dim", `${header}  0${scale.padStart(room - 1)}`),
    ...run.steps.flatMap(drawStep),
    "",
    paint("dim", `━ running  ${legendOf(run)}`),
    ...remarks(run)
  ].join("\n")
}

/** The remarks on a run, one sentence each. */
export const remarks = (run: Timeline): ReadonlyArray<string> => [
  run.hint ?? "Nothing waited long for a worker.",
  ...limitsOf(run),
  ...(run.drops.length === 0
    ? []
    : [`${count(run.drops.length, "event")} dropped: ${tally(run.drops.map(({ reason }) => said[reason]))}.`]),
  ...(run.finalizerFailures.length === 0
    ? []
    : [`${count(run.finalizerFailures.length, "finalizer")} failed: ${shorten(run.finalizerFailures[0]!.error, 80)}.`]),
  ...(run.nested.length === 0
    ? []
    : [
        `${count(run.nested.length, "run")} inside its steps: ${tally(run.nested.map(({ workflow }) => `of ${shorten(workflow)}`))}.`
      ])
]

/** One sentence for each limit that anything waited for. */
const limitsOf = ({ invocations }: Timeline): ReadonlyArray<string> => {
  const waits = new Map<string, { calls: number; millis: number }>()
  for (const { limits } of invocations) {
    for (const { limit, from, to } of limits) {
      const sum = waits.get(limit) ?? { calls: 0, millis: 0 }
      waits.set(limit, { calls: sum.calls + 1, millis: sum.millis + to.at - from.at })
    }
  }
  return [...waits].map(
    ([limit, { calls, millis }]) =>
      `${count(calls, "call")} waited ${time(millis)} in all for limit '${shorten(limit)}'.`
  )
}

const legendOf = (run: Timeline): string => {
  const has = (outcome: string) =>
    run.invocations.some(({ attempts }) => attempts.some((one) => one.outcome === outcome))
  return [
    "═ running, on the critical path",
    ...(run.invocations.some(({ limits }) => limits.length > 0) ? ["┄ waiting for a limit"] : []),
    ...(run.steps.some(({ waited }) => waited > 0) ? ["▁▄█ waiting for a worker"] : []),
    ...(run.invocations.some(({ questions }) => questions.length > 0) ? [`${asking} waiting for an answer`] : []),
    ...Object.entries(marks).flatMap(([outcome, mark]) => (has(outcome) ? [`${mark} ${outcome}`] : []))
  ].join("  ")
}

/** A run's outcome in one line. */
export const title = (run: Timeline): string => {
  const stop = run.stop === null ? undefined : run.events.get(run.stop)?.tag
  const ended = {
    stopped: `stopped with ${oneLine(stop ?? "its stop event")}`,
    failed: `failed: ${shorten(run.error ?? "", 120)}`,
    interrupted: "interrupted",
    running: "not ended"
  }[run.outcome]
  return `${shorten(run.workflow)} · ${ended} · ${time(run.duration)} · ${count(run.invocations.length, "invocation")}`
}

/** The number of events that waited for a worker, as a row of bars; undefined if none did. */
const queued = (spans: ReadonlyArray<Span>, total: number, room: number): string | undefined => {
  if (spans.length === 0) return undefined
  const level = levels(spans, total, room)
  const most = Math.max(...level)
  return [...level]
    .map((n) => heights[n <= 0.01 ? 0 : Math.max(1, Math.round((n / most) * 8))])
    .join("")
    .trimEnd()
}

const tally = (words: ReadonlyArray<string>): string => {
  const counts = new Map<string, number>()
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1)
  return [...counts].map(([word, n]) => `${n.toLocaleString("en")} ${word}`).join(", ")
}

const said = { raced: "by a race", ended: "as the run ended", leftover: "left over", late: "sent too late" } as const
