/** Handmade traces of any size and with any names. */
import type { TraceEntry } from "stepgraph"

interface Options {
  readonly invocations: number
  readonly workers?: number
  /** Duration of each invocation in milliseconds. */
  readonly takes?: number
  readonly name?: string
  readonly data?: (n: number) => any
  readonly run?: string
}

/** A fan-out to one step, whose workers handle one event after another, and a gather. */
export const fan = ({
  invocations,
  workers = 4,
  takes = 10,
  name = "work",
  data = (n) => ({ n }),
  run = "1"
}: Options): Array<TraceEntry> => {
  const entries: Array<TraceEntry> = []
  let at = 1_000_000
  const add = (entry: Record<string, unknown>) =>
    void entries.push({ run, seq: entries.length, at, ...entry } as unknown as TraceEntry)
  const begin = (invocation: string, step: string, events: ReadonlyArray<string>) =>
    add({ _tag: "InvocationStarted", invocation, step, events, attempt: 1, scope: null })
  const end = (invocation: string, step: string) =>
    add({ _tag: "InvocationEnded", invocation, step, attempt: 1, outcome: "succeeded", error: null })
  add({ _tag: "RunStarted", workflow: "fan", parent: null })
  add({ _tag: "EventEmitted", event: "Start#0", tag: "Start", cause: null, data: {} })
  add({ _tag: "EventDelivered", event: "Start#0", step: "list" })
  begin("list#0", "list", ["Start#0"])
  for (let i = 0; i < invocations; i++) {
    add({ _tag: "EventEmitted", event: `Job#${i}`, tag: "Job", cause: "list#0", data: data(i) })
    add({ _tag: "EventDelivered", event: `Job#${i}`, step: name })
  }
  end("list#0", "list")
  for (let i = 0; i < invocations; i += workers) {
    const now = Array.from({ length: Math.min(workers, invocations - i) }, (_, k) => i + k)
    for (const k of now) begin(`work#${k}`, name, [`Job#${k}`])
    at += takes
    for (const k of now) {
      add({ _tag: "EventEmitted", event: `Done#${k}`, tag: "Done", cause: `work#${k}`, data: {} })
      add({ _tag: "EventDelivered", event: `Done#${k}`, step: "finish" })
      end(`work#${k}`, name)
    }
  }
  const all = Array.from({ length: invocations }, (_, k) => `Done#${k}`)
  add({ _tag: "IntakeFired", step: "finish", invocation: "finish#0", events: all })
  begin("finish#0", "finish", all)
  add({ _tag: "EventEmitted", event: "Stop#0", tag: "Stop", cause: "finish#0", data: {} })
  end("finish#0", "finish")
  add({ _tag: "RunFinished", outcome: "stopped", event: "Stop#0", error: null })
  return entries
}
