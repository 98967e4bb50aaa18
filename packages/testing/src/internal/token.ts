/**
 * A schedule as one short line: its deviations from production, and a fingerprint of the graph.
 *
 * `3.1.2_7.2.4~1q9x` means: at choice 3 way 1 of 2, at choice 7 way 2 of 4, and production's way otherwise.
 */
import type { Graph } from "stepgraph/graph"
import type { Deviation } from "./choices.ts"

const usual = "0"

/** A fingerprint that changes with the steps, their events and their workers. */
export const markOf = (graph: Graph): string => {
  const steps = graph.steps.map(({ name, accepts, intake, emits, workers }) => {
    const waitsFor = intake === null ? accepts : [intake.kind, accepts, intake.count, intake.per]
    return [name, waitsFor, emits, workers]
  })
  const text = JSON.stringify([graph.start, steps])
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return (hash >>> 0).toString(36).slice(0, 5)
}

export const toToken = (deviations: ReadonlyArray<Deviation>, mark: string): string => {
  const path = deviations.map(({ at, option, count }) => `${at}.${option}.${count}`).join("_")
  return `${path || usual}~${mark}`
}

const pattern = /^(?:0|\d+\.\d+(?:\.\d+)?(?:_\d+\.\d+(?:\.\d+)?)*)(?:~[0-9a-z]+)?$/

/** The deviations of a token, or the reason why it cannot be replayed. */
export const fromToken = (token: string, graph: Graph): ReadonlyArray<Deviation> | string => {
  if (!pattern.test(token)) return `'${token}' is not a schedule: copy all of it from the report`
  const [path, mark] = token.split("~") as [string, string | undefined]
  if (mark !== undefined && mark !== markOf(graph)) {
    return `the graph of workflow '${graph.name}' has changed since '${token}' was found, so it now means another schedule: explore again without 'replay'`
  }
  if (path === usual) return []
  return path.split("_").map((part) => {
    const [at, option, count] = part.split(".").map(Number) as [number, number, number | undefined]
    return { at, option, count: count ?? 0 }
  })
}

/** Explains that a run had no such choice. */
export const changed = (token: string, { at, count }: Deviation, now: number | undefined): string =>
  `'${token}' cannot be replayed: at choice ${at} there ${count === 0 ? "was another way" : `were ${count} ways`} to go on, ` +
  `and now there ${now === undefined ? "is no such choice" : `are ${now}`}. The workflow, its input or the options of ` +
  "the exploration have changed: explore again without 'replay'"
