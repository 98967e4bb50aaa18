/**
 * The picture of a workflow as SVG.
 */
import {
  type Box,
  fontSize,
  layoutOf,
  lineHeight,
  type PlacedEdge,
  type PlacedNode,
  type Point,
  smallSize
} from "./layout.ts"
import type { Picture } from "./picture.ts"
import { count, oneLine, xml } from "./text.ts"
import { fonts, variables } from "./theme.ts"

const style =
  variables("svg.stepgraph") +
  `svg.stepgraph text{font-family:${fonts};font-size:${fontSize}px;fill:var(--sg-text);text-anchor:middle}` +
  `svg.stepgraph .note{font-size:${smallSize}px;fill:var(--sg-soft)}` +
  `svg.stepgraph .event{font-size:${smallSize}px}` +
  "svg.stepgraph .ground{fill:var(--sg-ground)}" +
  "svg.stepgraph .behind{fill:var(--sg-ground);opacity:.85}" +
  "svg.stepgraph .step .shape{fill:var(--sg-step);stroke:var(--sg-step-line)}" +
  "svg.stepgraph .intake .shape{fill:var(--sg-intake);stroke:var(--sg-intake-line)}" +
  "svg.stepgraph .end .shape{fill:var(--sg-end);stroke:var(--sg-end-line)}" +
  "svg.stepgraph .outside .shape{fill:var(--sg-raised);stroke:var(--sg-soft);stroke-dasharray:4 3}" +
  "svg.stepgraph .frame rect{fill:var(--sg-frame);stroke:var(--sg-line);stroke-dasharray:6 4}" +
  "svg.stepgraph .frame text{font-size:11px;fill:var(--sg-soft);text-anchor:start}" +
  "svg.stepgraph .arrow path{fill:none;stroke:var(--sg-line);stroke-width:1.4}" +
  "svg.stepgraph .arrow.back path{stroke-dasharray:5 4}" +
  "svg.stepgraph .arrow.missed path{stroke:var(--sg-bad);stroke-dasharray:2 4}" +
  "svg.stepgraph .missed text{fill:var(--sg-bad)}svg.stepgraph .intake.missed .shape{stroke:var(--sg-bad);stroke-dasharray:2 4}" +
  "svg.stepgraph .arrow.fires path{stroke:var(--sg-intake-line);stroke-width:2.4}" +
  "svg.stepgraph marker path{fill:var(--sg-line)}" +
  "svg.stepgraph marker.fired path{fill:var(--sg-intake-line)}"

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

export const graphSvg = (picture: Picture): string => {
  const { width, height, nodes, frames, edges } = layoutOf(picture)
  const steps = picture.nodes.filter(({ kind }) => kind === "step").length
  const body = [
    ...frames.map(
      (placed) =>
        `<g class="frame">${rect(placed, 'rx="10"')}` +
        `<text x="${n(placed.x - placed.width / 2 + 10)}" y="${n(placed.y - placed.height / 2 + 15)}">${xml(placed.frame.label)}</text></g>`
    ),
    ...edges.map((edge, i) => arrow(edge, i)),
    ...edges.map((edge, i) => words(edge, i)),
    ...nodes.map(drawNode)
  ]
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" class="stepgraph" role="img" aria-labelledby="sg-title sg-desc" ` +
      `width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">`,
    `<title id="sg-title">Workflow ${xml(picture.name)}</title>`,
    `<desc id="sg-desc">${xml(inWords(picture, steps))}</desc>`,
    `<style>${style}</style>`,
    "<defs>",
    marker("sg-arrow", ""),
    marker("sg-fired", ' class="fired"'),
    "</defs>",
    `<rect class="ground" width="${width}" height="${height}" rx="6"/>`,
    ...body,
    "</svg>",
    ""
  ].join("\n")
}

const marker = (id: string, more: string): string =>
  `<marker id="${id}"${more} viewBox="0 0 10 10" refX="9" refY="5" markerWidth="9" markerHeight="9" ` +
  'markerUnits="userSpaceOnUse" orient="auto-start-reverse"><path d="M0 1L10 5L0 9z"/></marker>'

/** The picture for somebody who does not see it. */
const inWords = (picture: Picture, steps: number): string => {
  const labels = new Map(picture.nodes.map(({ id, label }) => [id, label]))
  const ways = picture.edges
    .filter(({ events }) => events.length > 0)
    .map(({ from, to, events }) => `${labels.get(from)} to ${labels.get(to)} by ${events.join(" or ")}`)
  return oneLine(`${count(steps, "step")}. From ${ways.join("; from ")}.`)
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
  return `<g class="${classes[node.kind]}${node.missed ? " missed" : ""}" data-node="${node.id}" data-step="${xml(node.step ?? "")}">${full}${shape(placed)}${lines.join("")}</g>`
}

/** What an intake does is seen by its shape: several arrows meet, so many are counted, all flow together, one is first. */
const shape = ({ node, x, y, width, height }: PlacedNode): string => {
  const [left, right, top, bottom] = [x - width / 2, x + width / 2, y - height / 2, y + height / 2]
  const corners = (...points: ReadonlyArray<readonly [number, number]>) =>
    `<polygon class="shape" points="${points.map(([px, py]) => `${n(px)},${n(py)}`).join(" ")}"/>`
  switch (node.kind) {
    case "start":
      return `<circle class="shape" cx="${n(x)}" cy="${n(y)}" r="${n(width / 2)}"/>`
    case "stop":
      return (
        `<circle class="shape" cx="${n(x)}" cy="${n(y)}" r="${n(width / 2)}"/>` +
        `<circle class="shape" cx="${n(x)}" cy="${n(y)}" r="${n(width / 2 - 4)}"/>`
      )
    case "join":
      return corners(
        [left, y],
        [left + 16, top],
        [right - 16, top],
        [right, y],
        [right - 16, bottom],
        [left + 16, bottom]
      )
    case "collect":
      return corners([left + 14, top], [right, top], [right - 14, bottom], [left, bottom])
    case "gather":
      return corners([left, top], [right, top], [right - 18, bottom], [left + 18, bottom])
    case "race":
      return corners([left, top], [right - 16, top], [right, y], [right - 16, bottom], [left, bottom], [left + 12, y])
    default:
      return rect({ x, y, width, height }, `class="shape" rx="${node.kind === "step" ? 7 : height / 2}"`)
  }
}

const arrow = ({ edge, points }: PlacedEdge, i: number): string => {
  const fires = edge.events.length === 0
  const kind = fires ? " fires" : edge.missed ? " missed" : edge.back ? " back" : ""
  return `<g class="arrow${kind}" data-edge="${i}"><path d="${curve(points)}" marker-end="url(#${fires ? "sg-fired" : "sg-arrow"})"/></g>`
}

const words = ({ lines, at, edge }: PlacedEdge, place: number): string => {
  if (lines.length === 0) return ""
  const wide = Math.max(...lines.map((line) => line.length)) * 6 + 6
  const first = at.y - ((lines.length - 1) * lineHeight) / 2 + 4
  const text = lines.map(
    (line, i) => `<text class="event" x="${n(at.x)}" y="${n(first + i * lineHeight)}">${xml(line)}</text>`
  )
  return (
    `<g class="events${edge.missed ? " missed" : ""}" data-edge="${place}"><title>${xml(edge.events.join(", "))}</title>` +
    `<rect class="behind" x="${n(at.x - wide / 2)}" y="${n(at.y - (lines.length * lineHeight) / 2)}" width="${n(wide)}" ` +
    `height="${n(lines.length * lineHeight)}" rx="3"/>${text.join("")}</g>`
  )
}

/** A curve drawn along the points without corners: a B-spline that begins and ends at its ends. */
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
