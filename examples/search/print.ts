// Formats an answer: the ranked passages, and a timeline of the work.
import { styleText } from "node:util"
import type { Ranked } from "./fuse.ts"
import { mostAtOnce, type Span } from "./stopwatch.ts"
import { parts, stem, stemmedWords } from "./words.ts"

const width = Math.max(60, Math.min(process.stdout.columns ?? 100, 100))
const dim = (text: string) => styleText("dim", text)
const bold = (text: string) => styleText("bold", text)

export const printPassages = (question: string, ranked: ReadonlyArray<Ranked>): string => {
  const wanted = new Set(stemmedWords(question))
  return ranked
    .map((passage, index) => {
      const place = `${passage.file}:${passage.line}`
      const title = cut(passage.title, width - place.length - 5)
      const ranks = Object.entries(passage.ranks).map(([name, rank]) => `${name} ${rank ?? "–"}`)
      return [
        `${`${index + 1}`.padStart(2)} ${bold(title)}${" ".repeat(width - 3 - title.length - place.length)}${styleText("cyan", place)}`,
        ...excerpt(passage.text, wanted).map((line) => `   ${line}`),
        `   ${dim(ranks.join(" · "))}`
      ].join("\n")
    })
    .join("\n\n")
}

/** The start of the passage, and the lines with the most searched words. */
const excerpt = (text: string, wanted: ReadonlySet<string>): ReadonlyArray<string> => {
  const lines = text.split("\n").filter((line) => !/^\s*(?:```|~~~|#{1,6} |@\w|\*\*[^*]+\*\*( \(.*\))?$)/.test(line))
  const start = lines.findIndex((line) => line.trim() !== "")
  if (start < 0) return []
  const found = lines.map(
    (_, at) => new Set(stemmedWords(block(lines, at, 3).join(" ")).filter((word) => wanted.has(word)))
  )
  const best = found.reduce((most, words, at) => (words.size > (found[most]?.size ?? 0) ? at : most), start)
  const opening = block(lines, start, 3)
  const shown = best < start + opening.length ? opening : [...opening.slice(0, 2), "…", ...block(lines, best, 3)]
  return shown
    .flatMap(wrap)
    .slice(0, 5)
    .map((line) => highlight(line, wanted))
}

/** At most so many lines from here, up to the next blank line, without common indentation. */
const block = (lines: ReadonlyArray<string>, from: number, most: number): ReadonlyArray<string> => {
  const some = lines.slice(from, from + most)
  const blank = some.findIndex((line) => line.trim() === "")
  const shown = blank < 0 ? some : some.slice(0, blank)
  const indent = Math.min(...shown.map((line) => line.search(/\S/)))
  return shown.map((line) => line.slice(indent))
}

const highlight = (line: string, wanted: ReadonlySet<string>): string =>
  line.replace(/[\p{L}\p{N}_$]+/gu, (word) =>
    parts(word).some((part) => wanted.has(stem(part.toLowerCase()))) ? styleText("yellow", word) : word
  )

const wrap = (line: string): ReadonlyArray<string> => {
  const room = width - 3
  if (line.length <= room) return [line]
  const space = line.lastIndexOf(" ", room)
  const end = space > room / 2 ? space : room
  return [line.slice(0, end), ...wrap(line.slice(end).trimStart())]
}

/** For each step: invocations, overlap, duration, and a bar on a shared time axis. */
export const printTimeline = (steps: ReadonlyArray<string>, spans: ReadonlyArray<Span>): string => {
  const begin = Math.min(...spans.map(({ start }) => start))
  const total = Math.max(...spans.map(({ end }) => end)) - begin
  const name = Math.max(4, ...steps.map((step) => step.length))
  const room = width - name - 30
  const rows = steps.flatMap((step) => {
    const own = spans.filter((span) => span.step === step)
    if (own.length === 0) return []
    const from = Math.min(...own.map(({ start }) => start)) - begin
    const to = Math.max(...own.map(({ end }) => end)) - begin
    const before = Math.min(room - 1, Math.floor((from / total) * room))
    const bar = "━".repeat(Math.max(1, Math.round((to / total) * room) - before))
    return `${step.padEnd(name)}${`${own.length}`.padStart(7)}${`${mostAtOnce(own)}`.padStart(9)}${time(to - from).padStart(10)}  ${" ".repeat(before)}${styleText("green", bar)}`
  })
  return [dim(`${"step".padEnd(name)}   runs  at once      took`), ...rows].join("\n")
}

export const time = (milliseconds: number): string =>
  milliseconds >= 1000 ? `${(milliseconds / 1000).toFixed(2)} s` : `${Math.round(milliseconds)} ms`

/** `1 file`, `2 files`. */
export const count = (n: number, thing: string): string => `${n.toLocaleString("en")} ${thing}${n === 1 ? "" : "s"}`

const mostProblems = 5

/** The skipped files, with reasons. */
export const printUnreadable = (files: ReadonlyArray<{ readonly file: string; readonly reason: string }>): string =>
  [
    `${count(files.length, "file")} could not be searched:`,
    ...files.slice(0, mostProblems).map(({ file, reason }) => `  ${file} ${reason}`),
    ...(files.length > mostProblems ? [`  and ${files.length - mostProblems} more`] : [])
  ].join("\n")

const cut = (text: string, room: number): string =>
  text.length <= room ? text : `${text.slice(0, Math.max(0, room - 1))}…`
