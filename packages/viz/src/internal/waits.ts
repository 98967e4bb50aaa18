/**
 * Waiting times: from ready until an invocation begins with the events or they are dropped.
 */
import type { Axis, Span } from "./levels.ts"
import type { Timeline } from "./timeline.ts"

/** Each step's spans on an axis. */
export const waitsOf = (run: Timeline, axis: Axis): ReadonlyMap<string, ReadonlyArray<Span>> => {
  const key = axis === "time" ? "at" : "seq"
  const spans = new Map<string, Array<Span>>(run.steps.map(({ name }) => [name, []]))
  for (const { step, ready, start } of run.invocations) {
    if (start.at > ready.at) spans.get(step)!.push({ from: ready[key], to: start[key] })
  }
  for (const { step, since, at } of run.drops) {
    if (step !== null && since !== null && at.at > since.at) spans.get(step)!.push({ from: since[key], to: at[key] })
  }
  return spans
}
