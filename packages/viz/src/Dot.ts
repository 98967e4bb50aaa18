/**
 * Draws a workflow in DOT, the language of Graphviz.
 */
import { refuseUnknown } from "stepgraph/internal"
import type { Drawable } from "./internal/drawable.ts"
import { pictureOf } from "./internal/model.ts"
import {
  type DrawOptions,
  drawOptionNames,
  type NodeKind,
  type Picture,
  type PictureFrame
} from "./internal/picture.ts"
import { eventLines, oneLine, shorten } from "./internal/text.ts"

const shapes: Readonly<Record<NodeKind, string>> = {
  start: "shape=circle",
  stop: "shape=doublecircle",
  step: 'shape=box, style="rounded"',
  inputs: 'shape=box, style="rounded,dashed"',
  outputs: 'shape=box, style="rounded,dashed"',
  join: "shape=hexagon",
  collect: "shape=parallelogram",
  gather: "shape=invtrapezium",
  race: "shape=cds"
}

/** The style of a path that was never taken. */
const red = 'color="#cf222e", fontcolor="#cf222e"'

/** Escapes a DOT string: a backslash begins an escape, an ampersand an entity. */
const quoted = (lines: ReadonlyArray<string>, beside = ""): string => {
  const escaped = lines.map((line) => oneLine(line).replaceAll("&", "&amp;").replace(/[\\"]/g, "\\$&"))
  return `"${escaped.map((line) => beside + line + beside).join("\\n")}"`
}

/**
 * A workflow in DOT, for `dot` and other tools that read Graphviz files.
 *
 * @example
 * ```ts
 * import { defineEvent, defineStep, workflow } from "stepgraph"
 * import { toDot } from "@stepgraph/viz"
 *
 * const Start = defineEvent("Start")
 * const Stop = defineEvent("Stop")
 * const finish = defineStep({ accepts: Start, emits: Stop, run: () => Stop() })
 * const flow = workflow({ name: "short", start: Start, stop: Stop, steps: { finish } })
 *
 * console.log(toDot(flow).split("\n")[0]) // => digraph "short" {
 * ```
 */
export function toDot(flow: Drawable, options?: DrawOptions): string {
  refuseUnknown("toDot", options, drawOptionNames)
  const picture = pictureOf(flow, options)
  const ids = new Map(picture.nodes.map((node) => [node.id, node]))
  const drawNode = (id: string): string => {
    const { kind, label, notes, missed } = ids.get(id)!
    const lines = [shorten(label, 60), ...notes.map((note) => shorten(note, 60))]
    return `${id} [label=${quoted(lines)}, ${shapes[kind]}${missed ? `, ${red}` : ""}]`
  }
  const framed = new Set(picture.frames.flatMap(({ nodes }) => nodes))
  const lines = [
    `rankdir=${picture.direction === "right" ? "LR" : "TB"}`,
    'node [fontname="Helvetica,Arial,sans-serif", fontsize=12, margin="0.18,0.08"]',
    'edge [fontname="Helvetica,Arial,sans-serif", fontsize=11]',
    ...picture.nodes.filter(({ id }) => !framed.has(id)).map(({ id }) => drawNode(id)),
    ...picture.frames
      .filter(({ within }) => within === undefined)
      .flatMap((frame) => drawFrame(frame, picture, drawNode)),
    ...picture.edges.map(({ from, to, events, back, missed }) => {
      const settings = [
        // Graphviz puts labels right next to the arrow; spaces keep them apart.
        ...(events.length === 0 ? ["penwidth=2"] : [`label=${quoted(eventLines(events, 8), " ")}`]),
        ...(missed ? ["style=dotted", red] : back ? ["style=dashed"] : []),
        ...(back ? ["constraint=false"] : [])
      ]
      return `${from} -> ${to} [${settings.join(", ")}]`
    })
  ]
  return [`digraph ${quoted([shorten(picture.name, 60)])} {`, ...lines.map((line) => `  ${line}`), "}"].join("\n")
}

const drawFrame = (frame: PictureFrame, picture: Picture, drawNode: (id: string) => string): ReadonlyArray<string> => [
  `subgraph cluster_${frame.id} {`,
  ...[
    `label=${quoted([shorten(frame.label, 60)])}`,
    'style="rounded,dashed"',
    'fontname="Helvetica,Arial,sans-serif"',
    "fontsize=11",
    ...frame.nodes.map(drawNode),
    ...picture.frames
      .filter(({ within }) => within === frame.id)
      .flatMap((inner) => drawFrame(inner, picture, drawNode))
  ].map((line) => `  ${line}`),
  "}"
]
