/**
 * The frames of a picture. A frame surrounds everything that belongs to one `per`, from the steps that accept the
 * opening event to the intakes that are kept for it.
 */
import { type Graph, scopesOf } from "stepgraph/graph"
import type { PictureFrame } from "./picture.ts"

/**
 * The frames of a workflow, outer ones first. A frame that would cross another is left out; the label of its intake
 * names the `per`.
 */
export const frames = (
  graph: Graph,
  entries: ReadonlyMap<string, string>,
  places: ReadonlyMap<string, string>
): ReadonlyArray<PictureFrame> => {
  const found = scopesOf(graph).map(({ event, steps }) => ({ tag: event, members: new Set(steps) }))
  found.sort((a, b) => b.members.size - a.members.size)

  const drawn: Array<{
    readonly id: string
    readonly tag: string
    readonly members: ReadonlySet<string>
    within?: string
  }> = []
  for (const { tag, members } of found) {
    const meeting = drawn.filter((other) => [...members].some((name) => other.members.has(name)))
    if (!meeting.every((other) => [...members].every((name) => other.members.has(name)))) continue
    const within = meeting.at(-1)?.id
    drawn.push({ id: `f${drawn.length}`, tag, members, ...(within === undefined ? undefined : { within }) })
  }
  return drawn.map(({ id, tag, members, within }) => ({
    id,
    label: `for each ${tag}`,
    // Excludes what an inner frame already contains.
    nodes: graph.steps
      .map(({ name }) => name)
      .filter((name) => members.has(name))
      .filter((name) => !drawn.some((inner) => isInside(inner, id, drawn) && inner.members.has(name)))
      .flatMap((name) => [...new Set([entries.get(name)!, places.get(name)!])]),
    within
  }))
}

const isInside = (
  frame: { readonly within?: string },
  outer: string,
  all: ReadonlyArray<{ readonly id: string; within?: string }>
): boolean => {
  for (let at = frame.within; at !== undefined; at = all.find(({ id }) => id === at)?.within)
    if (at === outer) return true
  return false
}
