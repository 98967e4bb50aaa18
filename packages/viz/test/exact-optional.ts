// Compiled with `exactOptionalPropertyTypes`, where an optional property must not be undefined unless its type says so:
// every option accepts a value that may be undefined.
import { liveView, timeline, timelines, toDot, toHtml, toMermaid, toSvg, toText, withLiveView } from "@stepgraph/viz"
import { Effect } from "effect"
import type { TraceEntry } from "stepgraph"
import { busyFlow } from "./support/runs.ts"

/** Values that may be undefined. */
const maybe = <A>(): A | undefined => undefined

const drawing = { direction: maybe<"right" | "down">(), nested: undefined, coverage: undefined }
const trace: ReadonlyArray<TraceEntry> = []
export const pictures = [
  toDot(busyFlow, drawing),
  toHtml(busyFlow, drawing),
  toMermaid(busyFlow, drawing),
  toSvg(busyFlow, drawing),
  toText(busyFlow, { width: maybe<number>(), colour: maybe<boolean>(), nested: undefined }),
  timeline(trace, { workflow: maybe<typeof busyFlow>() }),
  timelines(trace, { workflow: undefined }),
  liveView(busyFlow, { stream: undefined, every: maybe<number>() }),
  withLiveView(Effect.void, busyFlow, { stream: undefined })
]
