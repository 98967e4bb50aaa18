/**
 * Makes the picture of a workflow from its graph.
 */
import type { GraphIntake, GraphStep } from "stepgraph/graph"
import { type Drawable, drawn, isDrawable } from "./drawable.ts"
import { frames } from "./frames.ts"
import type { DrawOptions, Missed, NodeKind, Picture, PictureEdge, PictureNode } from "./picture.ts"
import { shorten } from "./text.ts"

const longestToTheRight = 6
const longestJoin = 26
const mostLines = 8

export const pictureOf = (drawable: Drawable, options: DrawOptions = {}): Picture => {
  const graph = drawn(drawable)
  const nodes: Array<PictureNode> = []
  const neverFired = new Set(options.coverage?.neverFired)
  const add = (
    kind: NodeKind,
    label: string,
    notes: ReadonlyArray<string> = [],
    step?: string,
    inner?: Drawable
  ): string => {
    const id = `n${nodes.length}`
    const missed = isGate(kind) && step !== undefined && neverFired.has(step)
    nodes.push({ id, kind, label, notes: missed ? [...notes, "never fired"] : notes, step, missed, inner })
    return id
  }

  const start = add("start", "start")
  const inputs = graph.inputs.length > 0 ? add("inputs", "inputs") : undefined
  const entries = new Map<string, string>()
  const places = new Map<string, string>()
  const fires: Array<PictureEdge> = []
  for (const step of graph.steps) {
    const { name } = step
    const gate = gateOf(step, add)
    const nested = nestedIn(options, step)
    const place = add("step", name, stepNotes(step, nested), name, isDrawable(nested) ? nested : undefined)
    places.set(name, place)
    entries.set(name, gate ?? place)
    if (gate !== undefined) fires.push({ from: gate, to: place, events: [], back: false, missed: false })
  }
  const outputs = graph.outputs.length > 0 ? add("outputs", "outputs") : undefined
  const stop = add("stop", "stop")

  const accepting = new Map(graph.events.map(({ tag, acceptedBy }) => [tag, acceptedBy]))
  const arrows = new Arrows(options.coverage)
  const toAcceptors = (node: string, from: string | null, event: string) => {
    for (const to of accepting.get(event)!) arrows.add(node, entries.get(to)!, { from, event, to })
  }
  toAcceptors(start, null, graph.start)
  if (inputs !== undefined) {
    for (const tag of graph.inputs) toAcceptors(inputs, null, tag)
    for (const { tag: event, askedBy } of graph.events) {
      for (const to of askedBy) arrows.add(inputs, places.get(to)!, { from: null, event, to })
    }
  }
  const stops = new Set(graph.stops)
  const listened = new Set(graph.outputs)
  for (const { name, emits } of graph.steps) {
    for (const tag of emits) {
      const from = places.get(name)!
      const way = { from: name, event: tag, to: null }
      toAcceptors(from, name, tag)
      if (listened.has(tag) && outputs !== undefined) arrows.add(from, outputs, way)
      if (stops.has(tag)) arrows.add(from, stop, way)
    }
  }

  const edges = markBack(nodes, [...arrows.edges(), ...fires])
  return {
    name: graph.name,
    nodes,
    edges,
    frames: frames(graph, entries, places),
    direction: options.direction ?? (longestWay(nodes, edges) <= longestToTheRight ? "right" : "down")
  }
}

const nestedIn = ({ nested }: DrawOptions, { name, inner }: GraphStep): { readonly name: string } | undefined =>
  nested !== undefined && Object.hasOwn(nested, name) ? nested[name] : (inner ?? undefined)

const isGate = (kind: NodeKind): boolean => ["join", "collect", "gather", "race"].includes(kind)

type Way = Missed["missed"][number]

/** One arrow between two nodes, however many events it carries. */
class Arrows {
  private readonly found = new Map<string, { from: string; to: string; missed: boolean; events: Set<string> }>()
  private readonly missed: ReadonlySet<string>

  constructor(coverage: Missed | undefined) {
    this.missed = new Set(coverage?.missed.map(nameOf))
  }

  add(from: string, to: string, way: Way): void {
    const key = `${from} ${to}`
    const missed = this.missed.has(nameOf(way))
    const event = missed ? `${shorten(way.event, 24)} (never)` : way.event
    const arrow = this.found.get(key)
    if (arrow === undefined) this.found.set(key, { from, to, missed, events: new Set([event]) })
    else if (!arrow.events.has(event)) {
      arrow.events.add(event)
      arrow.missed &&= missed
    }
  }

  edges(): ReadonlyArray<PictureEdge> {
    return [...this.found.values()].map((arrow) => ({ ...arrow, events: [...arrow.events], back: false }))
  }
}

const nameOf = ({ from, event, to }: Way): string => JSON.stringify([from, event, to])

/** The node in front of a step that waits for several events. */
const gateOf = (
  { name, accepts, intake }: GraphStep,
  add: (kind: NodeKind, label: string, notes: ReadonlyArray<string>, step: string) => string
): string | undefined => {
  if (intake === null) return undefined
  const label = waitingFor(intake, accepts)
  return add(intake.kind, label, intakeNotes(intake, accepts, label), name)
}

const waitingFor = ({ kind, count, single }: GraphIntake, events: ReadonlyArray<string>): string => {
  if (kind === "collect") return `collect ${count}`
  if (kind === "race") return single ? "race: the first" : `race: the first ${count}`
  if (kind === "gather") return "gather all"
  const all = events.join(" + ")
  return all.length <= longestJoin ? `join ${all}` : "join"
}

/** The events of a large join, broken into short lines. */
const joined = (events: ReadonlyArray<string>): ReadonlyArray<string> => {
  const lines: Array<string> = []
  for (const [i, tag] of events.entries()) {
    const word = i === 0 ? tag : `+ ${tag}`
    const last = lines.at(-1)
    if (last !== undefined && last.length + word.length < longestJoin) lines[lines.length - 1] = `${last} ${word}`
    else lines.push(word)
  }
  return lines.length <= mostLines ? lines : [...lines.slice(0, mostLines - 1), "and more"]
}

const intakeNotes = (
  { per, by, within }: GraphIntake,
  events: ReadonlyArray<string>,
  label: string
): ReadonlyArray<string> => [
  ...(label === "join" ? joined(events) : []),
  ...(per === null ? [] : [`per ${per}`]),
  ...(by ? ["by key"] : []),
  ...(within === null ? [] : [`within ${within}`])
]

const stepNotes = (step: GraphStep, nested: { readonly name: string } | undefined): ReadonlyArray<string> => [
  step.workers === "unbounded" ? "unbounded workers" : `${step.workers} ${step.workers === 1 ? "worker" : "workers"}`,
  ...(step.streams.length === 0 ? [] : [`streams ${step.streams.join(", ")}`]),
  ...(step.asks.length === 0 ? [] : [`asks for ${step.asks.join(", ")}`]),
  ...step.limits.map((limit) => `limit ${limit}`),
  ...(step.timeout === null ? [] : [`timeout ${step.timeout}`]),
  ...(step.retries ? ["retries"] : []),
  ...(step.recovers ? ["recovers"] : []),
  ...(nested === undefined ? [] : [`runs ${nested.name}`])
]

/** Marks the arrows that close a loop: those that lead back to a node still on the path of a walk from the start. */
const markBack = (nodes: ReadonlyArray<PictureNode>, edges: ReadonlyArray<PictureEdge>): ReadonlyArray<PictureEdge> => {
  const out = new Map<string, Array<PictureEdge>>(nodes.map(({ id }) => [id, []]))
  for (const edge of edges) out.get(edge.from)!.push(edge)
  const back = new Set<PictureEdge>()
  const state = new Map<string, "open" | "left">()
  for (const { id: root } of nodes) {
    if (state.has(root)) continue
    state.set(root, "open")
    const path = [{ id: root, next: 0 }]
    while (path.length > 0) {
      const top = path.at(-1)!
      const edge = out.get(top.id)![top.next++]
      if (edge === undefined) {
        state.set(top.id, "left")
        path.pop()
      } else if (state.get(edge.to) === "open") back.add(edge)
      else if (!state.has(edge.to)) {
        state.set(edge.to, "open")
        path.push({ id: edge.to, next: 0 })
      }
    }
  }
  return edges.map((edge) => (back.has(edge) ? { ...edge, back: true } : edge))
}

/** The number of nodes on the longest path, ignoring the arrows that close loops. */
const longestWay = (nodes: ReadonlyArray<PictureNode>, edges: ReadonlyArray<PictureEdge>): number => {
  const out = new Map<string, Array<string>>(nodes.map(({ id }) => [id, []]))
  const left = new Map(nodes.map(({ id }) => [id, 0]))
  for (const { from, to, back } of edges) {
    if (back) continue
    out.get(from)!.push(to)
    left.set(to, left.get(to)! + 1)
  }
  let longest = 0
  for (let level = nodes.flatMap(({ id }) => (left.get(id) === 0 ? [id] : [])); level.length > 0; longest++) {
    level = level.flatMap((id) =>
      out.get(id)!.filter((to) => {
        left.set(to, left.get(to)! - 1)
        return left.get(to) === 0
      })
    )
  }
  return longest
}
