/**
 * The frames of a picture: what a `per` is kept for belongs together, from the steps that the opening event comes to, to the
 * intakes that are kept for it.
 */
import { type Graph, scopesOf } from "stepgraph/graph"
import type { PictureFrame } from "./picture.ts"

/** The frames of a workflow, the outer ones first. One that would cross another is left out: its intake says what it is kept for. */
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
    // Only what is in none of the frames inside this one.
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
