/**
 * The differences between two runs, as text.
 */
import { dataText } from "./chart-data.ts"
import type { Comparison } from "./comparison.ts"
import { painter, type TextOptions } from "./terminal.ts"
import { count, shorten, time } from "./text.ts"
import type { Timeline, TimelineEvent, TimelineInvocation } from "./timeline.ts"
import { title } from "./timeline-text.ts"

const some = <A>(all: ReadonlyArray<A>, tell: (one: A) => ReadonlyArray<string>, most = 8): ReadonlyArray<string> => {
  const lines = all.slice(0, most).flatMap(tell)
  return all.length <= most ? lines : [...lines, `  and ${(all.length - most).toLocaleString("en")} more`]
}

const shown = ({ tag, data }: TimelineEvent): string =>
  `${shorten(tag)} ${shorten(dataText(data), 60)}`.replace(/␣$/, "").trim()

const given = (run: Timeline, { id, events }: TimelineInvocation): string => {
  const [first] = events
  const event = first === undefined ? undefined : run.events.get(first)
  return event === undefined ? shorten(id) : shown(event) + (events.length > 1 ? ` and ${events.length - 1} more` : "")
}

/** A run's outcome and the content of its stop event. */
const end = (run: Timeline): string => {
  const stop = run.stop === null ? undefined : run.events.get(run.stop)
  return stop === undefined ? shorten(`${run.outcome} ${run.error ?? ""}`, 120) : `stopped with ${shown(stop)}`
}

/** An invocation's outcome and its events. */
const did = (run: Timeline, { outcome, error, emitted }: TimelineInvocation): string => {
  const events = emitted.slice(0, 3).map((id) => shown(run.events.get(id)!))
  return [outcome, ...(error === null ? [] : [shorten(error, 60)]), ...(events.length > 0 ? events : ["nothing"])].join(
    ", "
  )
}

/** One paragraph for each kind of difference. */
export const comparisonParagraphs = (comparison: Comparison): ReadonlyArray<ReadonlyArray<string>> => {
  const { left, right, same, sameOutcome, events, parted, order } = comparison
  const { onlyLeft, onlyRight, changed } = events
  const paragraphs: Array<ReadonlyArray<string>> = []
  if (left.workflow !== right.workflow) {
    paragraphs.push([`These are runs of two workflows, ${shorten(left.workflow)} and ${shorten(right.workflow)}.`])
  }
  if (same) paragraphs.push(["Both had the same events, in the same order in each step, and the same end."])
  if (!sameOutcome) {
    paragraphs.push(["The outcomes differ:", `  left   ${end(left)}`, `  right  ${end(right)}`])
  }
  if (onlyLeft.length + onlyRight.length + changed.length > 0) {
    paragraphs.push([
      `${count(events.both, "event")} on both sides, ${onlyLeft.length} only left, ${onlyRight.length} only right, ${changed.length} with other data:`,
      ...some(onlyLeft, (event) => [`  only left   ${shown(event)}`]),
      ...some(onlyRight, (event) => [`  only right  ${shown(event)}`]),
      ...some(changed, ({ left, right }) => [`  other data  ${shown(left)} → ${shorten(dataText(right.data), 60)}`])
    ])
  }
  if (parted.length > 0) {
    // A failure explains the interruptions, so failures come first and interruptions last.
    const rank = ({ left, right }: (typeof parted)[number]) =>
      [left, right].some(({ outcome }) => outcome === "failed") ? 0 : left.outcome === right.outcome ? 1 : 2
    paragraphs.push([
      "The runs diverged where a step got the same events but did something else:",
      ...some(
        [...parted].sort((a, b) => rank(a) - rank(b)),
        (pair) => [
          `  ${shorten(pair.left.step)}, given ${given(left, pair.left)}`,
          `    left   ${did(left, pair.left)}`,
          `    right  ${did(right, pair.right)}`
        ],
        4
      )
    ])
  }
  if (order.length > 0) {
    const began = (run: Timeline, some: ReadonlyArray<TimelineInvocation>) =>
      some
        .slice(0, 4)
        .map((invocation) => given(run, invocation))
        .join(", ")
    paragraphs.push([
      "Steps that handled their events in another order:",
      ...some(
        order,
        ({ step, left: one, right: other }) => [
          `  ${shorten(step)}`,
          `    left   ${began(left, one)}`,
          `    right  ${began(right, other)}`
        ],
        4
      )
    ])
  }
  return paragraphs
}

export const comparisonText = (comparison: Comparison, { colour = false }: TextOptions = {}): string => {
  const paint = painter(colour)
  const { left, right, steps } = comparison
  const took = durationsParagraph(comparison)
  const name = Math.max(4, ...steps.map((step) => shorten(step.name, 24).length))
  const cell = (text: string, width = 10) => text.padStart(width)
  const differ = ([one, other]: readonly [number, number]) =>
    other === one ? "=" : `${other > one ? "+" : "−"}${time(Math.abs(other - one))}`
  const table = [
    paint(
      "dim",
      `${"step".padEnd(name)}${cell("runs", 14)}${cell("running, left", 15)}${cell("right")}${cell("difference", 12)}${cell("waited, left", 14)}${cell("right")}${cell("difference", 12)}`
    ),
    ...steps.map(({ name: step, invocations, busy, waited }) =>
      [
        shorten(step, 24).padEnd(name),
        cell(invocations[0] === invocations[1] ? String(invocations[0]) : invocations.join(" → "), 14),
        cell(time(busy[0]), 15),
        cell(time(busy[1])),
        cell(differ(busy), 12),
        cell(time(waited[0]), 14),
        cell(time(waited[1])),
        cell(differ(waited), 12)
      ].join("")
    )
  ]
  return [
    `${paint("bold", "left ")} ${title(left)}`,
    `${paint("bold", "right")} ${title(right)}`,
    ...comparisonParagraphs(comparison).flatMap((lines) => ["", ...lines]),
    "",
    ...table,
    ...(took.length === 0 ? [] : ["", ...took])
  ].join("\n")
}

export const durationsParagraph = ({ left, durations }: Comparison): ReadonlyArray<string> => {
  const unlike = durations.filter(({ difference }) => difference !== 0).slice(0, 5)
  if (unlike.length === 0) return []
  const spent = ({ start, end }: TimelineInvocation) => time(end.at - start.at)
  return [
    "The largest differences in duration:",
    ...unlike.map(
      ({ left: one, right: other, difference }) =>
        `  ${shorten(one.step)}, given ${given(left, one)}: ${spent(one)} → ${spent(other)} (${difference > 0 ? "+" : "−"}${time(Math.abs(difference))})`
    )
  ]
}
