/** Runs in the worker: performs the tasks of the page on a program, and reports. */
import { explorePromise } from "@stepgraph/testing"
import { timeline, toSvg } from "@stepgraph/viz"
import { launchPromise, type TraceEntry } from "stepgraph"
import { type AnyWorkflow, graphOf } from "stepgraph/graph"
import { evaluate, type Program } from "./program.ts"
import type { Failure, Report, Task } from "./protocol.ts"

const post = (report: Report): void => (globalThis as any).postMessage(report)

const shownLogs = 1_000
let logs = 0

const inWords = (value: unknown): string => {
  if (typeof value === "string") return value
  if (value instanceof Error) return value.message
  try {
    return (
      JSON.stringify(value, (_, part) => (typeof part === "bigint" ? `${part}n` : part), 1)?.replace(/\n\s*/g, " ") ??
      String(value)
    )
  } catch {
    return String(value)
  }
}

for (const [name, kind] of [
  ["log", "out"],
  ["info", "out"],
  ["debug", "out"],
  ["warn", "error"],
  ["error", "error"]
] as const) {
  console[name] = (...values: ReadonlyArray<unknown>) => {
    if (logs++ < shownLogs) post({ report: "log", kind, text: values.map(inWords).join(" ").slice(0, 2_000) })
  }
}

const dataText = (data: unknown): string => {
  const text = JSON.stringify(data)
  return text === undefined || text === "{}" ? "" : ` ${text.length > 300 ? `${text.slice(0, 300)}…` : text}`
}

/** The run that is shown: the last one that began. */
class Shown {
  private readonly flow: AnyWorkflow
  private readonly trace: Array<TraceEntry> = []
  private told = 0
  private timer: ReturnType<typeof setTimeout> | undefined

  constructor(flow: AnyWorkflow) {
    this.flow = flow
    post({ report: "graph", name: flow.name, picture: toSvg(flow) })
  }

  readonly observe = (entry: TraceEntry): void => {
    this.trace.push(entry)
    this.timer ??= setTimeout(() => this.tell(), 100)
  }

  tell(): void {
    clearTimeout(this.timer)
    this.timer = undefined
    const [first] = this.trace
    if (first === undefined) return
    const events = this.trace.slice(this.told).flatMap((entry) => {
      if (entry._tag !== "EventEmitted" || entry.run !== first.run) return []
      const from = entry.cause === null ? "" : `${entry.cause.replace(/#.*$/, "")} → `
      return [{ at: entry.at - first.at, text: `${from}${entry.tag}${dataText(entry.data)}` }]
    })
    this.told = this.trace.length
    post({ report: "events", events })
    if (this.trace.length <= 20_000)
      post({ report: "timeline", picture: toSvg(timeline(this.trace, { workflow: this.flow })) })
  }
}

let shown: Shown | undefined
const watch = {
  begun: (flow: AnyWorkflow) => {
    shown?.tell()
    shown = new Shown(flow)
    return shown.observe
  }
}

const noFlow = "It defines no workflow: export the result of workflow() to see its graph."

let live: Awaited<ReturnType<typeof launchPromise>> | undefined

const run = async ({ flow, hasRun, input, isExported }: Program): Promise<string> => {
  if (hasRun || flow === undefined) return hasRun ? "" : noFlow
  if (!isExported) {
    post({ report: "graph", name: flow.name, picture: toSvg(flow) })
    return logs > 0 ? "" : `Export workflow '${flow.name}' to run it.`
  }
  const graph = graphOf(flow)
  const given = input ?? {}
  live = await (launchPromise as any)(flow, given, { observe: watch.begun(flow) })
  const inputs = graph.events
    .filter(({ tag }) => graph.inputs.includes(tag))
    .map(({ tag, fields }) => ({ tag, fields }))
  if (inputs.length > 0) post({ report: "inputs", inputs })
  const { _tag, ...fields } = (await live!.result) as { readonly _tag: string }
  return `${_tag}${dataText(fields)}`
}

const explore = async ({ exports, flow, input }: Program): Promise<void> => {
  if (flow === undefined) throw new Error(noFlow)
  post({ report: "graph", name: flow.name, picture: toSvg(flow) })
  const failures: Array<Failure> = []
  const { schedules, complete, outcomes, uncontrolled } = await explorePromise(flow as any, {
    ...(input === undefined ? {} : { input }),
    ...(Array.isArray(exports.sends) ? { sends: exports.sends } : {}),
    timers: "virtual",
    schedules: 5_000,
    seconds: 10,
    warn: false,
    progress: (orders) => post({ report: "progress", orders }),
    onFailure: ({ invariant, outcome, usual, message, trace }) => {
      if (failures.length >= 20) return
      // The line that replays it is for a test file.
      const timed = toSvg(timeline(trace, { workflow: flow }))
      failures.push({ rule: invariant, outcome: outcome.text, usual: usual.text, story: message, timeline: timed })
    }
  })
  for (const one of uncontrolled) post({ report: "log", kind: "error", text: one })
  post({
    report: "explored",
    orders: schedules,
    complete,
    outcomes: outcomes.map(({ outcome }) => outcome.text),
    failures
  })
}

const perform = async (task: Task): Promise<void> => {
  if (task.task === "send") return live?.send(task.event as never)
  if (task.task === "close") return live?.closeInputs()
  let text = ""
  const program = await evaluate(task.source, watch)
  if (task.task === "run") text = await run(program)
  else await explore(program)
  shown?.tell()
  post({ report: "done", failed: false, text })
}

globalThis.onmessage = async ({ data }: MessageEvent<Task>) => {
  const isSmall = data.task === "send" || data.task === "close"
  try {
    await perform(data)
  } catch (error) {
    shown?.tell()
    const text =
      error instanceof Error
        ? error.name === "SyntaxError"
          ? `${error.name}: ${error.message}`
          : error.message
        : inWords(error)
    post(isSmall ? { report: "refused", text } : { report: "done", failed: true, text })
  }
}

globalThis.addEventListener("unhandledrejection", (event) => {
  event.preventDefault()
  post({ report: "log", kind: "error", text: `nobody handled: ${inWords(event.reason)}` })
})

post({ report: "ready" })
