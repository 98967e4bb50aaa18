/**
 * Where everything in a picture of a workflow stands: nodes, frames, the arrows between them and the words on those.
 */
import { Graph, layout } from "@dagrejs/dagre"
import type { Picture, PictureEdge, PictureFrame, PictureNode } from "./picture.ts"
import { eventLines, shorten, widthOf } from "./text.ts"

export const fontSize = 13
export const smallSize = 11
export const lineHeight = 16

export interface Point {
  readonly x: number
  readonly y: number
}

export interface Box extends Point {
  readonly width: number
  readonly height: number
}

export interface PlacedNode extends Box {
  readonly node: PictureNode
  readonly label: string
  readonly notes: ReadonlyArray<string>
}

export interface PlacedFrame extends Box {
  readonly frame: PictureFrame
}

export interface PlacedEdge {
  readonly edge: PictureEdge
  readonly lines: ReadonlyArray<string>
  readonly points: ReadonlyArray<Point>
  /** The middle of its words. */
  readonly at: Point
}

/** Boxes are given by their middle. */
export interface Layout {
  readonly width: number
  readonly height: number
  readonly nodes: ReadonlyArray<PlacedNode>
  readonly frames: ReadonlyArray<PlacedFrame>
  readonly edges: ReadonlyArray<PlacedEdge>
}

const widest = (lines: ReadonlyArray<string>, size: number): number => Math.max(0, ...lines.map(widthOf)) * size

const sizeOf = (
  { kind }: PictureNode,
  label: string,
  notes: ReadonlyArray<string>
): { width: number; height: number } => {
  if (kind === "start" || kind === "stop") return { width: 46, height: 46 }
  const words = Math.max(widthOf(label) * fontSize, widest(notes, smallSize))
  const beside = kind === "step" ? 28 : kind === "inputs" || kind === "outputs" ? 32 : 48
  return { width: Math.ceil(words + beside), height: 18 + lineHeight * (1 + notes.length) }
}

export const layoutOf = (picture: Picture): Layout => {
  const graph = new Graph({ directed: true, compound: true, multigraph: false })
  graph.setGraph({
    rankdir: picture.direction === "right" ? "LR" : "TB",
    nodesep: 30,
    edgesep: 18,
    ranksep: picture.direction === "right" ? 26 : 30,
    marginx: 16,
    marginy: 16
  })
  graph.setDefaultEdgeLabel(() => ({}))

  const texts = new Map<string, { readonly label: string; readonly notes: ReadonlyArray<string> }>()
  for (const node of [...picture.nodes].reverse()) {
    const text = { label: shorten(node.label), notes: node.notes.map((note) => shorten(note)) }
    texts.set(node.id, text)
    graph.setNode(node.id, sizeOf(node, text.label, text.notes))
  }
  for (const frame of picture.frames) {
    graph.setNode(frame.id, {})
    if (frame.within !== undefined) graph.setParent(frame.id, frame.within)
    for (const id of frame.nodes) graph.setParent(id, frame.id)
  }
  for (const { from, to, events } of [...picture.edges].reverse()) {
    const lines = eventLines(events)
    const words = lines.length === 0 ? {} : { width: widest(lines, smallSize) + 12, height: lines.length * lineHeight }
    graph.setEdge(from, to, { labelpos: "c", weight: events.length === 0 ? 8 : 1, ...words })
  }
  layout(graph)

  const box = (id: string): Box => {
    const { x = 0, y = 0, width = 0, height = 0 } = graph.node(id) as Partial<Box>
    return { x, y, width, height }
  }
  const nodes = picture.nodes.map((node) => ({ node, ...texts.get(node.id)!, ...box(node.id) }))
  const frames = picture.frames.map((frame) => ({ frame, ...box(frame.id) }))
  const edges = picture.edges.map((edge) => {
    const {
      points = [],
      x,
      y
    } = graph.edge(edge.from, edge.to) as {
      points?: ReadonlyArray<Point>
      x?: number
      y?: number
    }
    return {
      edge,
      lines: eventLines(edge.events),
      points,
      at: { x: x ?? points[0]?.x ?? 0, y: y ?? points[0]?.y ?? 0 }
    }
  })
  const { width = 0, height = 0 } = graph.graph() as { width?: number; height?: number }
  return { width: Math.ceil(width), height: Math.ceil(height), nodes, frames, edges }
}
