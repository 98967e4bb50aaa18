// Compiled with `exactOptionalPropertyTypes`, where an optional property may not be undefined unless its type says so: every
// option takes what a caller may or may not have.
import { liveView, timeline, timelines, toDot, toHtml, toMermaid, toSvg, toText, withLiveView } from "@stepgraph/viz"
import { Effect } from "effect"
import type { TraceEntry } from "stepgraph"
import { busyFlow } from "./support/runs.ts"

/** What a caller may or may not have. */
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
