/**
 * Values as text for a report: an event as `Tag {…}`.
 */
import { type Bounds, wordsOf } from "stepgraph/internal"

const longest = 120

const short: Bounds = { depth: 16, items: 100, string: longest, text: longest, values: 200, separator: "," }
const long: Bounds = { depth: 32, items: 2_000, string: 10_000, text: 20_000, values: 10_000, separator: "," }
const whole: Bounds = {
  depth: 200,
  items: Infinity,
  string: Infinity,
  text: Infinity,
  values: Infinity,
  separator: ","
}

export const show = (value: unknown): string => wordsOf(value, short)

const before = 40

/** Shows two values that would look equal when truncated: from just before the first difference. */
export const showApart = (value: unknown, other: unknown): string => {
  const [text, otherText] = [wordsOf(value, long), wordsOf(other, long)]
  let at = 0
  while (at < text.length && text[at] === otherText[at]) at++
  const from = at < before || at === text.length ? 0 : at - before
  const shown = text.slice(from, from + longest)
  return `${from === 0 ? "" : "…"}${shown}${from + longest < text.length ? "…" : ""}`
}

/** Where two values differ, within the first million values in them. */
export const identify = (value: unknown): string => wordsOf(value, whole)
