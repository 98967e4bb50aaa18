/**
 * The readable story of a schedule that breaks a rule.
 */
import type { AnyWorkflow, TraceEntry } from "stepgraph"
import { type EventModel, type InvocationModel, type RunModel, TraceModel } from "stepgraph/trace"
import { type Broken, errorText, keyOf, type Outcome } from "../Invariant.ts"
import type { Crash, Note } from "./executed.ts"
import type { Modes } from "./modes.ts"
import { show, showApart } from "./show.ts"
import { inOneLine, type Uncontrolled } from "./uncontrolled.ts"

export interface Story {
  readonly flow: AnyWorkflow
  readonly broken: Broken
  readonly outcome: Outcome
  readonly usual: Outcome
  /** How the usual order ends when it is run again, if that is different. */
  readonly again: Outcome | undefined
  readonly trace: ReadonlyArray<TraceEntry>
  readonly notes: ReadonlyArray<Note>
  readonly early: boolean
  readonly endless: boolean
  readonly crash: Crash | undefined
  readonly input: unknown
  readonly schedules: number
  readonly replay: string
  /** Number of choices that differ from the usual order. */
  readonly choices: number
  readonly uncontrolled: Uncontrolled
  readonly timers: Modes["timers"]
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

/** Renders the trace line by line, with the differing choices in between. */
class Telling {
  readonly lines: Array<Line> = []
  private readonly model = new TraceModel()
  /** The texts of events and of invocations' inputs. */
  private readonly words = new WeakMap<EventModel | InvocationModel, string>()
  /** Runs whose start event has appeared: invocations that begin with it say so. */
  private readonly started = new Set<RunModel>()

  add(who: string, text: string, marked = false): void {
    this.lines.push({ who, text, marked })
  }

  /** An invocation reads or writes a cell of state. */
  touches(id: string, what: string): void {
    for (const run of this.model.runs.values()) {
      const invocation = run.running.get(id)
      if (invocation !== undefined) return this.add(invocation.step, `${what}${this.which(id, run)}`)
    }
  }

  /** The function of an invocation is called again, as its process has died. */
  repeats(id: string): void {
    for (const run of this.model.runs.values()) {
      const invocation = run.invocations.get(id)
      if (invocation !== undefined) this.add(invocation.step, `is called again with ${this.inputOf(invocation, run)}`)
    }
  }

  /** An invocation goes on and does something that the trace does not show. */
  goesOn(id: string): void {
    for (const run of this.model.runs.values()) {
      const invocation = run.running.get(id)
      if (invocation !== undefined) return this.add(invocation.step, `goes on with ${this.inputOf(invocation, run)}`)
    }
  }

  entry(entry: TraceEntry): void {
    // Only while it counts as running.
    const ending = entry._tag === "InvocationEnded" ? this.endOf(entry) : undefined
    const run = this.model.add(entry)
    if (run === undefined) return
    switch (entry._tag) {
      case "EventEmitted": {
        const event = this.eventOf(entry.event, run)
        if (entry.cause === null) {
          if (this.started.has(run)) this.add("", `${event} comes from outside`)
          this.started.add(run)
          return
        }
        const step = run.invocations.get(entry.cause)?.step ?? ""
        return this.add(step, `emits ${event}${this.which(entry.cause, run)}`)
      }
      case "InvocationStarted": {
        const again = entry.attempt > 1 ? `tries again (attempt ${entry.attempt}) with` : "begins with"
        return this.add(entry.step, `${again} ${this.inputOf(run.invocations.get(entry.invocation)!, run)}`)
      }
      case "InvocationEnded":
        if (ending !== undefined) this.add(entry.step, ending)
        return
      case "EventDropped": {
        const why = {
          raced: "came too late for a race",
          ended: "is dropped, as the run ends",
          leftover: "is left over",
          late: "is dropped, as the attempt that sent it was over"
        }
        return this.add(entry.step ?? "", `${this.eventOf(entry.event, run)} ${why[entry.reason]}`)
      }
      case "InvocationPaused":
      case "InvocationResumed":
        // Its question, and what it goes on with, say as much.
        return
      case "QuestionAsked": {
        const asked = `asks ${this.eventOf(entry.event, run)}${this.which(entry.invocation, run)}`
        return this.add(entry.step, `${asked}, and waits for ${entry.awaits.join(" or ")}`)
      }
      case "QuestionEnded": {
        const how = {
          answered: () => `is answered by ${this.eventOf(entry.answer!, run)}`,
          closed: () => "gets no answer, as the inputs are closed",
          failed: () => "gets no answer, as its own code to match it threw",
          interrupted: () => "waits for no answer any more"
        }
        return this.add(entry.step, `${how[entry.outcome]()}${this.which(entry.invocation, run)}`)
      }
      case "FinalizerFailed":
        return this.add(entry.step, `has a finalizer that fails: ${entry.error}`)
    }
  }

  private endOf({
    run: id,
    invocation,
    outcome,
    error
  }: Extract<TraceEntry, { _tag: "InvocationEnded" }>): string | undefined {
    const run = this.model.runs.get(id)
    if (run === undefined) return undefined
    const which = this.which(invocation, run)
    if (outcome === "interrupted") return `is interrupted${which}`
    if (outcome === "failed") return `fails${which}: ${error}`
    if (outcome === "retried") return `fails${which}, to be tried again: ${error}`
    const emitted = run.invocations.get(invocation)?.emitted ?? []
    return emitted.length === 0 ? `ends without emitting anything${which}` : undefined
  }

  private eventOf(id: string, { events }: RunModel): string {
    const event = events.get(id)
    if (event === undefined) return id
    return this.said(event, () => show({ _tag: event.tag, ...(event.data as object) }))
  }

  private inputOf(invocation: InvocationModel, run: RunModel): string {
    const { events } = invocation
    if (events.length === 0) return "nothing"
    return this.said(invocation, () => events.map((id) => this.eventOf(id, run)).join(", "))
  }

  /** Names the invocation if several of its step are running. */
  private which(id: string, run: RunModel): string {
    const invocation = run.invocations.get(id)
    if (invocation === undefined || run.steps.get(invocation.step)!.running < 2) return ""
    return `, given ${this.inputOf(invocation, run)}`
  }

  private said(what: EventModel | InvocationModel, say: () => string): string {
    const known = this.words.get(what)
    if (known !== undefined) return known
    const words = say()
    this.words.set(what, words)
    return words
  }
}

/** Whether the next trace entry already shows that the invocation went on. */
const shows = (entry: TraceEntry | undefined, invocation: string): boolean =>
  (entry?._tag === "EventEmitted" && entry.cause === invocation) ||
  ((entry?._tag === "InvocationEnded" || entry?._tag === "InvocationStarted") && entry.invocation === invocation)

const linesOf = ({ trace, notes, outcome, endless }: Story): ReadonlyArray<Line> => {
  const telling = new Telling()
  let next = 0
  for (let index = 0; index <= trace.length; index++) {
    const entry = trace[index]
    // A process that gets less far than the one that died has fewer entries.
    const here = (note: Note | undefined) => note !== undefined && (note.at === index || index === trace.length)
    for (; here(notes[next]); next++) {
      const { again, differs, invocation, touch } = notes[next]!
      const following = notes[next + 1]
      const last = following?.at !== index
      // The cell it touches next shows that it goes on.
      if (!last && invocation !== undefined && following.touch !== undefined && following.invocation === invocation) {
        if (differs === undefined && touch === undefined && again !== true) continue
      }
      if (again === true) telling.repeats(invocation!)
      else if (differs !== undefined) telling.add("", differs, true)
      else if (touch !== undefined) telling.touches(invocation!, touch)
      else if (invocation !== undefined && !(last && shows(entry, invocation))) telling.goesOn(invocation)
    }
    if (entry !== undefined) telling.entry(entry)
  }
  if (outcome.state === "hung") telling.add("", endless ? "and so on" : "nothing more happens")
  return telling.lines
}

/** The lines as text, without those far from the differences. */
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
    const whose = who === "" ? "" : `${who.padEnd(width)}  `
    texts.push(marked ? `  → ${text}` : `    ${whose}${text}`)
  })
  return texts
}

const fact = (name: string, text: string): string => `  ${name.padEnd(9)}  ${text.replaceAll("\n", "\n             ")}`

const note =
  "(A sleep stands for work of unknown duration, so any sleep may end first. " +
  'To keep deadlines, set time: "ordered".)'

/** Describes a run's outcome; if the text would equal the other outcome's, shows where they differ. */
const ending = (outcome: Outcome, other: Outcome): string =>
  outcome.state === "stopped" && outcome.text === other.text && keyOf(outcome) !== keyOf(other)
    ? showApart(outcome.result, other.result)
    : outcome.text

const remembers =
  "The usual order now ends differently itself: a service from outside remembers what earlier schedules did to it.\n" +
  "Give `layer`, which is built again for each schedule."

export const tell = (story: Story): string => {
  const { flow, broken, outcome, usual, schedules, replay, choices, crash, uncontrolled, timers } = story
  const marked = story.notes.some(({ differs }) => differs !== undefined) ? ", marked →" : ""
  const order = choices === 0 ? "in the usual order already" : "in one order of events"
  const what = crash === undefined ? order : "after a crash"
  const differs = choices === 1 ? "one choice differs" : `${choices} choices differ`
  const found =
    schedules === 0 ? "replayed" : schedules === 1 ? "found in the first schedule" : `found in schedule ${schedules}`
  return [
    `workflow '${flow.name}' breaks '${broken.invariant}' ${what}: ${broken.problem}`,
    "",
    ...(choices === 0 ? [] : [fact("usually", ending(usual, outcome))]),
    fact("this time", ending(outcome, usual)),
    ...outcome.also.map((error) => fact("", `and ${errorText(error)}`)),
    ...(crash?.again ?? []).map(({ call }, index) => fact(index === 0 ? "ran twice" : "", call)),
    ...(story.again === undefined ? [] : [fact("again", ending(story.again, usual)), "", remembers]),
    ...(story.input !== undefined ? [fact("input", show(story.input))] : []),
    "",
    choices === 0 ? "What happens:" : `What happens this time (${differs} from the usual order${marked}):`,
    "",
    ...shorten(linesOf(story)),
    "",
    ...(story.early ? [note, ""] : []),
    `${found[0]!.toUpperCase()}${found.slice(1)}. To see it again:`,
    "",
    `  ${replay}`,
    ...(uncontrolled.size === 0 ? [] : ["", `Not under control: ${inOneLine(uncontrolled, timers)}`])
  ].join("\n")
}
