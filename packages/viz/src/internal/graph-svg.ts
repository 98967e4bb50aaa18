/**
 * The picture of a workflow as SVG.
 */
import {
  fontSize,
  layoutOf,
  lineHeight,
  type PlacedEdge,
  type PlacedFrame,
  type PlacedNode,
  smallSize
} from "./layout.ts"
import type { Picture } from "./picture.ts"
import { type Box, outline, type Point } from "./shapes.ts"
import { count, oneLine, shorten, xml } from "./text.ts"
import { fonts, variables } from "./theme.ts"

const style =
  variables("svg.stepgraph") +
  `svg.stepgraph text{font-family:${fonts};font-size:${fontSize}px;fill:var(--sg-text);text-anchor:middle}` +
  `svg.stepgraph .note{font-size:${smallSize}px;fill:var(--sg-soft)}` +
  `svg.stepgraph .event{font-size:${smallSize}px}` +
  "svg.stepgraph .ground{fill:var(--sg-ground)}" +
  "svg.stepgraph .behind{fill:var(--sg-ground);opacity:.85}" +
  "svg.stepgraph .step .shape{fill:var(--sg-step);stroke:var(--sg-step-line)}" +
  "svg.stepgraph .folded .shape{stroke-width:3}" +
  "svg.stepgraph .intake .shape{fill:var(--sg-intake);stroke:var(--sg-intake-line)}" +
  "svg.stepgraph .end .shape{fill:var(--sg-end);stroke:var(--sg-end-line)}" +
  "svg.stepgraph .outside .shape{fill:var(--sg-raised);stroke:var(--sg-soft);stroke-dasharray:4 3}" +
  "svg.stepgraph .frame rect{fill:var(--sg-frame);stroke:var(--sg-line);stroke-dasharray:6 4}" +
  "svg.stepgraph .frame-name{font-size:11px;fill:var(--sg-soft);text-anchor:start;paint-order:stroke;stroke:var(--sg-frame);stroke-width:4px}" +
  "svg.stepgraph .arrow path{fill:none;stroke:var(--sg-line);stroke-width:1.4}" +
  "svg.stepgraph .arrow.back path{stroke:var(--sg-critical);stroke-dasharray:5 3}" +
  "svg.stepgraph .arrow.missed path{stroke:var(--sg-bad);stroke-dasharray:2 4}" +
  "svg.stepgraph .missed text{fill:var(--sg-bad)}svg.stepgraph .intake.missed .shape{stroke:var(--sg-bad);stroke-dasharray:2 4}" +
  "svg.stepgraph .arrow.fires path{stroke:var(--sg-intake-line);stroke-width:2.4}" +
  "svg.stepgraph marker path{fill:var(--sg-line)}" +
  "svg.stepgraph marker.back path{fill:var(--sg-critical)}" +
  "svg.stepgraph marker.missed path{fill:var(--sg-bad)}" +
  "svg.stepgraph marker.fires path{fill:var(--sg-intake-line)}"

const classes = {
  start: "end",
  stop: "end",
  step: "step",
  inputs: "outside",
  outputs: "outside",
  join: "intake",
  collect: "intake",
  gather: "intake",
  race: "intake"
} as const

const n = (value: number): string => String(Math.round(value * 10) / 10)

/** `prefix` begins the ids of the picture: on a page, each picture has its own. */
export const graphSvg = (picture: Picture, prefix = "sg"): string => {
  const { width, height, nodes, frames, edges } = layoutOf(picture)
  const steps = picture.nodes.filter(({ kind }) => kind === "step").length
  const body = [
    ...frames.map(frame),
    ...edges.map((edge, i) => arrow(edge, i, prefix)),
    ...frames.map(frameName),
    ...edges.map((edge, i) => words(edge, i)),
    ...nodes.map(drawNode)
  ]
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" class="stepgraph" role="img" ` +
      `width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">`,
    `<title>Workflow ${xml(picture.name)}</title>`,
    `<desc>${xml(description(picture, steps))}</desc>`,
    `<style>${style}</style>`,
    "<defs>",
    ...["on", "back", "missed", "fires"].map((kind) => marker(kind, prefix)),
    "</defs>",
    `<rect class="ground" width="${width}" height="${height}" rx="6"/>`,
    ...body,
    "</svg>",
    ""
  ].join("\n")
}

const marker = (kind: string, prefix: string): string =>
  `<marker id="${prefix}-${kind}" class="${kind}" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="9" markerHeight="9" ` +
  'markerUnits="userSpaceOnUse" orient="auto-start-reverse"><path d="M0 1L10 5L0 9z"/></marker>'

/** A description of the picture for screen readers. */
const description = (picture: Picture, steps: number): string => {
  const names = new Map(picture.nodes.map(({ id, label, step }) => [id, step ?? label]))
  const ways = picture.edges
    .filter(({ events }) => events.length > 0)
    .map(({ from, to, events }) => `${names.get(from)} to ${names.get(to)} by ${events.join(" or ")}`)
  const waits = picture.nodes
    .filter(({ kind, step }) => step !== undefined && kind !== "step")
    .map(({ step, label, notes }) => ` ${step} waits: ${[label, ...notes].join(", ")}.`)
  return oneLine(`${count(steps, "step")}. From ${ways.join("; from ")}.${waits.join("")}`)
}

const rect = ({ x, y, width, height }: Box, more = ""): string =>
  `<rect x="${n(x - width / 2)}" y="${n(y - height / 2)}" width="${n(width)}" height="${n(height)}" ${more}/>`

const drawNode = (placed: PlacedNode): string => {
  const { node, label, notes, x, y } = placed
  const first = y - (notes.length * lineHeight) / 2 + 4.5
  const lines = [
    `<text x="${n(x)}" y="${n(first)}">${xml(label)}</text>`,
    ...notes.map(
      (note, i) => `<text class="note" x="${n(x)}" y="${n(first + lineHeight * (i + 1))}">${xml(note)}</text>`
    )
  ]
  const full = label === oneLine(node.label) ? "" : `<title>${xml(node.label)}</title>`
  const more = `${node.missed ? " missed" : ""}${node.inner === undefined ? "" : " folded"}`
  return `<g class="${classes[node.kind]}${more}" data-node="${node.id}" data-step="${xml(node.step ?? "")}">${full}${shape(placed)}${lines.join("")}</g>`
}

const shape = (placed: PlacedNode): string => {
  const around = outline(placed.node.kind, placed)
  const circle = (radius: number) => `<circle class="shape" cx="${n(placed.x)}" cy="${n(placed.y)}" r="${n(radius)}"/>`
  switch (around.shape) {
    case "circle":
      return circle(around.radius) + (placed.node.kind === "stop" ? circle(around.radius - 4) : "")
    case "box":
      return rect(placed, `class="shape" rx="${n(around.round)}"`)
    case "corners":
      return `<polygon class="shape" points="${around.corners.map(({ x, y }) => `${n(x)},${n(y)}`).join(" ")}"/>`
  }
}

const arrow = ({ edge, points }: PlacedEdge, i: number, prefix: string): string => {
  const kind = edge.events.length === 0 ? "fires" : edge.missed ? "missed" : edge.back ? "back" : "on"
  return `<g class="arrow ${kind}" data-edge="${i}"><path d="${curve(points)}" marker-end="url(#${prefix}-${kind})"/></g>`
}

const words = ({ lines, words, edge }: PlacedEdge, place: number): string => {
  if (lines.length === 0) return ""
  const first = words.y - ((lines.length - 1) * lineHeight) / 2 + 4
  const text = lines.map(
    (line, i) => `<text class="event" x="${n(words.x)}" y="${n(first + i * lineHeight)}">${xml(line)}</text>`
  )
  return (
    `<g class="events${edge.missed ? " missed" : ""}" data-edge="${place}"><title>${xml(edge.events.join(", "))}</title>` +
    `${rect({ ...words, width: words.width - 4 }, 'class="behind" rx="3"')}${text.join("")}</g>`
  )
}

const frame = (placed: PlacedFrame): string => `<g class="frame">${rect(placed, 'rx="10"')}</g>`

const frameName = ({ frame, x, y, width, height }: PlacedFrame): string =>
  `<text class="frame-name" x="${n(x - width / 2 + 10)}" y="${n(y - height / 2 + 15)}">${xml(shorten(frame.label))}</text>`

/** A smooth curve along the points: a B-spline that starts at the first and ends at the last. */
const curve = (points: ReadonlyArray<Point>): string => {
  const [first, ...rest] = points
  if (first === undefined || rest.length === 0) return ""
  const p = (x: number, y: number) => `${n(x)} ${n(y)}`
  if (rest.length === 1) return `M${p(first.x, first.y)}L${p(rest[0]!.x, rest[0]!.y)}`
  const last = rest.at(-1)!
  const all = [first, first, ...rest.slice(0, -1), last, last]
  const parts = [`M${p(first.x, first.y)}`]
  for (let i = 0; i + 2 < all.length; i++) {
    const [a, b, c] = [all[i]!, all[i + 1]!, all[i + 2]!]
    parts.push(
      `C${p((2 * a.x + b.x) / 3, (2 * a.y + b.y) / 3)} ${p((a.x + 2 * b.x) / 3, (a.y + 2 * b.y) / 3)} ` +
        p((a.x + 4 * b.x + c.x) / 6, (a.y + 4 * b.y + c.y) / 6)
    )
  }
  return `${parts.join("")}L${p(last.x, last.y)}`
}
