/**
 * A run's progress as a table that is redrawn without moving its columns.
 */
import type { Progress, StepProgress } from "./progress.ts"
import { columnsOf, fitted, painter } from "./terminal.ts"
import { shorten, time } from "./text.ts"

const longestName = 24
const shortestName = 6
const longestBar = 24
const shortestBar = 8
const gap = 2
/** The window in milliseconds over which a fast step's rate is measured. */
const rateOver = 5000
const oftenEnough = 5

/** The columns in their order. A narrow terminal drops the lowest ranks first. */
const columns = [
  { title: "done", rank: 7, width: 7 },
  { title: "failed", rank: 6, width: 6 },
  { title: "dropped", rank: 5, width: 7 },
  { title: "running", rank: 4, width: 7 },
  { title: "queued", rank: 3, width: 7 },
  { title: "held", rank: 2, width: 6 },
  { title: "rate", rank: 0, width: 7 },
  { title: "left", rank: 1, width: 6 }
] as const
type Title = (typeof columns)[number]["title"]
type Row = StepProgress & { readonly cells: Readonly<Record<Title, string>> }

export class ProgressTable {
  private readonly progress: Progress
  private readonly now: () => number
  /** The largest width so far. Columns never shrink. */
  private readonly widths = new Map<Title, number>(columns.map(({ title, width }) => [title, width]))
  /** The counts of the latest frames, with their times. */
  private samples: ReadonlyArray<{ readonly at: number; readonly done: ReadonlyArray<number> }> = []

  constructor(progress: Progress, now: () => number) {
    this.progress = progress
    this.now = now
  }

  frame(width: number, height: number, colour: boolean): ReadonlyArray<string> {
    const paint = painter(colour)
    const rows = this.rows()
    for (const { title } of columns) {
      const widest = Math.max(...rows.map(({ cells }) => cells[title].length))
      if (widest > this.widths.get(title)!) this.widths.set(title, widest)
    }
    const room = width - 1
    const longest = Math.max(...rows.map((row) => columnsOf(shorten(row.name, longestName))))
    const name = Math.min(longestName, longest, Math.max(shortestName, room - gap - this.widths.get("done")!))
    const shown = this.fitting(rows, room - name)
    const taken = name + shown.reduce((sum, title) => sum + gap + this.widths.get(title)!, 0)
    const bar = room - taken - gap < shortestBar ? 0 : Math.min(longestBar, room - taken - gap)

    const space = " ".repeat(gap)
    const left = (text: string, bars: string) => `${fitted(text, name)}${bar > 0 ? space + bars : ""}`
    const titles = shown.map((title) => space + title.padStart(this.widths.get(title)!)).join("")
    const lines = this.window(rows, height - 2).map((row) => {
      const cells = shown.map((title) => {
        const cell = row.cells[title]
        const style = title === "failed" ? "red" : title === "rate" || title === "left" ? "dim" : undefined
        const padding = " ".repeat(gap + this.widths.get(title)! - cell.length)
        return padding + (style === undefined ? cell : paint(style, cell))
      })
      // Empty cells at the end would wrap when the terminal shrinks, and the screen counts lines.
      return (left(shorten(row.name, longestName), barOf(row, bar, paint)) + cells.join("")).trimEnd()
    })
    const hidden = rows.length - lines.length
    return [
      this.head(room, paint),
      paint("dim", left("", " ".repeat(bar)) + titles),
      ...(hidden === 0 ? lines : [...lines.slice(0, -1), paint("dim", fitted(`and ${hidden + 1} more`, room))])
    ]
  }

  private head(room: number, paint: ReturnType<typeof painter>): string {
    const { name, outcome, took } = this.progress
    const text = outcome === undefined ? seconds(took) : `${outcome} after ${time(Math.round(took))}`
    const title = fitted(shorten(name), Math.max(1, Math.min(columnsOf(shorten(name)), room - text.length - 3)))
    if (title.length + text.length + 3 > room) return paint("bold", fitted(title, room).trimEnd())
    return `${paint("bold", title)} · ${outcome === "failed" ? paint("red", text) : text}`
  }

  private rows(): ReadonlyArray<Row> {
    const { progress } = this
    const status = progress.status
    const at = this.now()
    const recent = this.samples.findIndex((sample) => at - sample.at <= rateOver)
    this.samples = [...(recent < 0 ? [] : this.samples.slice(recent)), { at, done: status.map(({ done }) => done) }]
    const since = this.samples[0]!
    return status.map((step, i) => {
      const { name, done, failed, dropped, running, queued, held } = step
      const busy = progress.state === "running" && running + queued > 0
      const lately = done - since.done[i]!
      const rate =
        lately >= oftenEnough && at - since.at >= 500 ? (lately / (at - since.at)) * 1000 : progress.rate(name)
      const left = busy && rate !== undefined && progress.isLast(name) ? (running + queued) / rate : undefined
      const cells = {
        done: number(done),
        failed: number(failed),
        dropped: number(dropped),
        running: number(running),
        queued: number(queued),
        held: number(held),
        rate: busy && rate !== undefined ? `${short(rate)}/s` : "",
        left: left === undefined ? "" : inUnits(left)
      }
      return { ...step, cells }
    })
  }

  /** The visible columns: during the run all that may get a value, at the end only those that have one. */
  private fitting(rows: ReadonlyArray<Row>, room: number): ReadonlyArray<Title> {
    const isOver = this.progress.state === "over"
    const wanted = columns.filter(
      ({ title }) =>
        title === "done" ||
        rows.some(({ cells }) => cells[title] !== "") ||
        (!isOver && title !== "failed" && title !== "dropped" && (title !== "held" || this.progress.hasIntakes))
    )
    const byRank = [...wanted].sort((a, b) => b.rank - a.rank)
    let left = room
    const fit = byRank.filter(({ title }) => (left -= gap + this.widths.get(title)!) >= 0)
    return wanted.filter((column) => fit.includes(column)).map(({ title }) => title)
  }

  /** As many steps as fit, starting a little before the first active one. */
  private window(rows: ReadonlyArray<Row>, most: number): ReadonlyArray<Row> {
    if (rows.length <= most) return rows
    const busy = rows.findIndex(({ running, queued, held }) => running + queued + held > 0)
    const from = Math.min(Math.max(0, busy - 1), rows.length - most)
    return rows.slice(from, from + Math.max(1, most))
  }
}

/** The finished share of all events so far. */
const barOf = (
  { done, failed, dropped, running, queued }: StepProgress,
  length: number,
  paint: ReturnType<typeof painter>
) => {
  const all = done + failed + dropped + running + queued
  const full = all === 0 ? 0 : Math.floor(((done + failed) / all) * length)
  return paint("green", "━".repeat(full)) + paint("dim", "─".repeat(length - full))
}

const number = (n: number): string => (n === 0 ? "" : n.toLocaleString("en"))

/** A number in at most four characters. */
const short = (n: number): string => {
  if (n >= 999_500) return `${Number((n / 1_000_000).toPrecision(2))}M`
  if (n >= 9_950) return `${Math.round(n / 1000)}k`
  return n < 10 ? n.toFixed(1) : String(Math.round(n))
}

const seconds = (millis: number): string => (millis < 60_000 ? `${(millis / 1000).toFixed(1)} s` : time(millis))

const inUnits = (seconds: number): string => {
  if (seconds < 59.5) return `${Math.max(1, Math.round(seconds))} s`
  if (seconds < 59.5 * 60) return `${Math.round(seconds / 60)} min`
  return `${Math.round(seconds / 3600)} h`
}
