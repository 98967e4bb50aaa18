/**
 * A schedule that breaks a rule, as a story that can be read without knowing how it was found.
 */
import type { TraceEntry } from "stepgraph"
import { type AnyFlow, type Broken, keyOf, type Outcome } from "../Invariant.ts"
import type { Told } from "./execution.ts"
import { show, showApart } from "./show.ts"

export interface Story {
  readonly flow: AnyFlow
  readonly broken: Broken
  readonly outcome: Outcome
  readonly usual: Outcome
  readonly trace: ReadonlyArray<TraceEntry>
  readonly told: ReadonlyArray<Told>
  readonly early: boolean
  readonly input: unknown
  readonly schedules: number
  readonly replay: string
  readonly uncontrolled: ReadonlySet<string>
}

interface Line {
  readonly who: string
  readonly text: string
  readonly marked: boolean
}

const first = 4
const around = 7
const last = 5
const most = 36

const linesOf = ({ trace, told, outcome }: Story): ReadonlyArray<Line> => {
  const lines: Array<Line> = []
  const events = new Map<string, string>()
  const steps = new Map<string, string>()
  const emits = new Set<string>()
  const namesOf = (ids: ReadonlyArray<string>) => {
    const names = ids.map((id) => events.get(id) ?? id)
    return names.length === 0 ? "nothing" : names.join(", ")
  }
  const add = (who: string, text: string) => lines.push({ who, text, marked: false })
  trace.forEach((entry, index) => {
    for (const { at, text } of told) if (at === index) lines.push({ who: "", text, marked: true })
    switch (entry._tag) {
      case "EventEmitted": {
        events.set(entry.event, show({ _tag: entry.tag, ...(entry.data as object) }))
        if (entry.cause !== null) emits.add(entry.cause)
        add(entry.cause === null ? "" : (steps.get(entry.cause) ?? ""), `emits ${events.get(entry.event)}`)
        if (entry.cause === null) lines.splice(-1, 1)
        break
      }
      case "InvocationStarted": {
        steps.set(entry.invocation, entry.step)
        const again = entry.attempt > 1 ? `tries again (attempt ${entry.attempt}) with` : "begins with"
        add(entry.step, `${again} ${namesOf(entry.events)}`)
        break
      }
      case "InvocationEnded": {
        if (entry.outcome === "succeeded") {
          if (!emits.has(entry.invocation)) add(entry.step, "ends and has emitted nothing")
        } else if (entry.outcome === "interrupted") add(entry.step, "is interrupted")
        else add(entry.step, `fails${entry.outcome === "to be retried" ? ", to be tried again" : ""}: ${entry.error}`)
        break
      }
      case "EventDropped": {
        const why = {
          raced: "came too late for a race",
          ended: "is dropped, as the run ends",
          "left over": "is left over"
        }
        add(entry.step ?? "", `${events.get(entry.event) ?? entry.event} ${why[entry.reason]}`)
        break
      }
      case "FinalizerFailure":
        add(entry.step, `has a finalizer that fails: ${entry.error}`)
    }
  })
  for (const { at, text } of told) if (at >= trace.length) lines.push({ who: "", text, marked: true })
  if (outcome.kind === "hung") add("", "nothing more happens")
  return lines
}

/** The lines as text, those far from what differs left out. */
const shorten = (lines: ReadonlyArray<Line>): ReadonlyArray<string> => {
  const width = Math.max(0, ...lines.map(({ who }) => who.length))
  const marks = lines.flatMap(({ marked }, index) => (marked ? [index] : []))
  const near = (index: number) => marks.some((mark) => Math.abs(mark - index) <= around)
  const kept = (index: number) => lines.length <= most || index < first || index >= lines.length - last || near(index)
  const texts: Array<string> = []
  let left = 0
  lines.forEach(({ who, text, marked }, index) => {
    if (!kept(index)) {
      left++
      return
    }
    if (left > 0) texts.push(`    … ${left} more`)
    left = 0
    texts.push(marked ? `  → ${text}` : `    ${who.padEnd(width)}  ${text}`)
  })
  return texts
}

const fact = (name: string, text: string): string => `  ${name.padEnd(9)}  ${text.replaceAll("\n", "\n             ")}`

const note =
  "(A sleep stands for work that may take longer or shorter, so whoever sleeps may wake first. " +
  'With time: "ordered", deadlines are kept.)'

/** How a run ended; where it is not seen from that in what it differs from the other, just there. */
const ending = (outcome: Outcome, other: Outcome): string =>
  outcome.kind === "stopped" && outcome.text === other.text && keyOf(outcome) !== keyOf(other)
    ? showApart(outcome.result, other.result)
    : outcome.text

export const tell = (story: Story): string => {
  const { flow, broken, outcome, usual, told, schedules, replay, uncontrolled } = story
  const what = told.length === 0 ? "in the usual order already" : "in one order of events"
  const differs = told.length === 1 ? "one choice differs" : `${told.length} choices differ`
  const found =
    schedules === 0 ? "replayed" : schedules === 1 ? "found in the first schedule" : `found in schedule ${schedules}`
  return [
    `workflow '${flow.name}' breaks '${broken.invariant}' ${what}: ${broken.problem}`,
    "",
    ...(told.length === 0 ? [] : [fact("usually", ending(usual, outcome))]),
    fact("this time", ending(outcome, usual)),
    ...(story.input !== undefined ? [fact("input", show(story.input))] : []),
    "",
    told.length === 0 ? "What happens:" : `What happens this time (${differs} from the usual order, marked →):`,
    "",
    ...shorten(linesOf(story)),
    "",
    ...(story.early ? [note, ""] : []),
    `${found[0]!.toUpperCase()}${found.slice(1)}. To see it again:`,
    "",
    `  ${replay}`,
    ...(uncontrolled.size === 0 ? [] : ["", `Not under control: ${[...uncontrolled].join("; ")}`])
  ].join("\n")
}
