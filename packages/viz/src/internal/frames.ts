/**
 * The frames of a picture: what a `per` is kept for belongs together, from the steps that the opening event comes to, to the
 * intakes that are kept for it.
 */
import type { PictureFrame } from "./picture.ts"
import { type AnyFlow, acceptedBy, intakeOf, type Links } from "./workflow.ts"

/** The frames of a workflow, the outer ones first. One that would cross another is left out: its intake says what it is kept for. */
export const frames = (
  flow: AnyFlow,
  { accepting, emitting }: Links,
  entries: ReadonlyMap<string, string>,
  places: ReadonlyMap<string, string>
): ReadonlyArray<PictureFrame> => {
  const steps = Object.entries(flow.steps)
  const kept = new Map<string, Array<string>>()
  for (const [name, step] of steps) {
    const per = intakeOf(step)?.per?.tag
    if (per === undefined) continue
    const names = kept.get(per)
    if (names === undefined) kept.set(per, [name])
    else names.push(name)
  }

  const found = [...kept].map(([tag, ends]) => {
    const below = reach(accepting(tag), (name) => flow.steps[name]!.emits, accepting)
    const above = reach(ends, (name) => acceptedBy(flow.steps[name]!), emitting)
    return { tag, members: new Set([...ends, ...[...below].filter((name) => above.has(name))]) }
  })
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
    nodes: steps
      .map(([name]) => name)
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

/** The steps that can be reached by way of events, each of which is followed once. */
const reach = (
  from: ReadonlyArray<string>,
  events: (name: string) => ReadonlyArray<{ readonly tag: string }>,
  next: (tag: string) => ReadonlyArray<string>
): Set<string> => {
  const found = new Set(from)
  const followed = new Set<string>()
  for (const name of found) {
    for (const { tag } of events(name)) {
      if (followed.has(tag)) continue
      followed.add(tag)
      for (const further of next(tag)) found.add(further)
    }
  }
  return found
}
