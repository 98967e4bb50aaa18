/**
 * Accepts what the drawings accept: a workflow of any copy of stepgraph, or its graph.
 */
import { type Graph, graphOf, isGraph, isWorkflow, type WorkflowData } from "stepgraph/graph"

/** A workflow, or the graph that `stepgraph/graph` returns for it. */
export type Drawable = WorkflowData | Graph

export const isDrawable = (value: unknown): value is Drawable => isWorkflow(value) || isGraph(value)

/** The graph of a workflow. Throws a `TypeError` if an untyped caller passes something else. */
export const drawn = (flow: Drawable): Graph => {
  if (!isDrawable(flow)) {
    throw new TypeError(`Cannot draw ${shown(flow)}: pass the result of workflow(), or timeline(trace) for a run`)
  }
  return graphOf(flow)
}

export const shown = (value: unknown): string => {
  if (Array.isArray(value)) return `a list of ${value.length}`
  if (typeof value === "object" && value !== null) {
    return Object.keys(value).length === 0 ? "{}" : `an object with ${Object.keys(value).slice(0, 6).join(", ")}`
  }
  return typeof value === "string" ? JSON.stringify(value.slice(0, 40)) : String(value)
}
