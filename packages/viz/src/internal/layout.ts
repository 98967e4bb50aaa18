/**
 * Positions everything in a picture of a workflow: nodes, frames, arrows and labels.
 */
import { Graph, layout } from "@dagrejs/dagre"
import type { Picture, PictureEdge, PictureFrame, PictureNode } from "./picture.ts"
import { type Box, edgeOf, type Point } from "./shapes.ts"
import { eventLines, shorten, widthOf } from "./text.ts"

export const fontSize = 13
export const smallSize = 11
export const lineHeight = 16
/** Room for the frame's name at its top. */
const headroom = 14
const margin = 16

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
  /** The position of its label. */
  readonly words: Box
}

/** Boxes are given by their centre. */
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
  const right = picture.direction === "right"
  const graph = new Graph({ directed: true, compound: true, multigraph: true })
  graph.setGraph({
    rankdir: right ? "LR" : "TB",
    nodesep: 30,
    edgesep: 18,
    ranksep: right ? 40 : 36,
    marginx: margin,
    marginy: margin
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
  // The closing arrow of a loop is laid out as if it led forward, so later steps stand later in the picture.
  const ends = ({ from, to, back }: PictureEdge) => (back ? { v: to, w: from, name: "back" } : { v: from, w: to })
  for (const edge of [...picture.edges].reverse()) {
    const lines = eventLines(edge.events)
    const words = lines.length === 0 ? {} : { width: widest(lines, smallSize) + 12, height: lines.length * lineHeight }
    graph.setEdge(ends(edge), { labelpos: "c", weight: edge.events.length === 0 ? 8 : 1, ...words })
  }
  layout(graph)

  const box = (id: string): Box => {
    const { x = 0, y = 0, width = 0, height = 0 } = graph.node(id) as Partial<Box>
    return { x, y, width, height }
  }
  const nodes = picture.nodes.map((node) => ({ node, ...texts.get(node.id)!, ...box(node.id) }))
  const placed = new Map(nodes.map((node) => [node.node.id, node]))
  const frames = picture.frames.map((frame) => {
    const { x, y, width, height } = box(frame.id)
    return { frame, x, y: y - headroom / 2, width, height: height + headroom }
  })
  const edges = picture.edges.map((edge): PlacedEdge => {
    const { points = [], ...words } = graph.edge(ends(edge)) as Partial<Box> & { points?: ReadonlyArray<Point> }
    const [from, to] = [placed.get(edge.from)!, placed.get(edge.to)!]
    const at = { x: words.x ?? from.x, y: words.y ?? from.y, width: words.width ?? 0, height: words.height ?? 0 }
    const way = edge.back ? [...points].reverse() : points
    return {
      edge,
      lines: eventLines(edge.events),
      points: from === to ? loop(from, at, right) : between(from, to, way),
      words: at
    }
  })
  const { width = 0, height = 0 } = graph.graph() as { width?: number; height?: number }
  const high = Math.max(0, margin / 2 - Math.min(...frames.map(({ y, height }) => y - height / 2)))
  const lower = <A extends Point>(point: A): A => ({ ...point, y: point.y + high })
  return {
    width: Math.ceil(width),
    height: Math.ceil(height + high),
    nodes: nodes.map(lower),
    frames: frames.map(lower),
    edges: edges.map((edge) => ({ ...edge, words: lower(edge.words), points: edge.points.map(lower) }))
  }
}

/** The layout treats every node as a box; the arrow must start and end at the drawn shape. */
const between = (from: PlacedNode, to: PlacedNode, points: ReadonlyArray<Point>): ReadonlyArray<Point> => {
  const inner = points.slice(1, -1)
  return [edgeOf(from.node.kind, from, inner[0] ?? to), ...inner, edgeOf(to.node.kind, to, inner.at(-1) ?? from)]
}

/** An arrow from a step to itself runs around its label, beside or below it, where the layout reserved room. */
const loop = ({ x, y, width, height }: PlacedNode, words: Box, below: boolean): ReadonlyArray<Point> => {
  const away = below ? words.y + 2 - (y + height / 2) : words.x - (x + width / 2)
  const beside = below ? Math.max(12, (words.width / 2 + 4) / 1.6) : 10
  return [
    [-1, 0],
    [-1.6, 0.6],
    [-1.6, 1.2],
    [1.6, 1.2],
    [1.6, 0.6],
    [1, 0]
  ].map(([side, out]) =>
    below
      ? { x: x - side! * beside, y: y + height / 2 + out! * away }
      : { x: x + width / 2 + out! * away, y: y + side! * beside }
  )
}
