/**
 * Draws a workflow as a Mermaid flowchart, which GitHub and many editors render.
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

const shapes: Readonly<Record<NodeKind, readonly [string, string]>> = {
  start: ["((", "))"],
  stop: ["(((", ")))"],
  step: ["[", "]"],
  inputs: ["([", "])"],
  outputs: ["([", "])"],
  join: ["{{", "}}"],
  collect: ["[/", "/]"],
  gather: ["[\\", "/]"],
  race: [">", "]"]
}

/** Escapes markup, Mermaid entities, and Markdown lists and headings. */
const quoted = (lines: ReadonlyArray<string>): string => {
  const escaped = lines.map((line) =>
    // Two dollar signs begin a formula even if escaped; a zero-width space separates them.
    oneLine(line)
      .replace(/\$(?=\$)/g, "$&\u200b")
      .replace(/^[-+]|[^\p{L}\p{N} :,+()-]/gu, (character) => `#${character.codePointAt(0)};`)
  )
  return `"${escaped.join("<br>")}"`
}

/**
 * A workflow as a Mermaid flowchart.
 *
 * @example
 * ```ts
 * import { defineEvent, defineStep, workflow } from "stepgraph"
 * import { toMermaid } from "@stepgraph/viz"
 *
 * const Start = defineEvent("Start")
 * const Stop = defineEvent("Stop")
 * const finish = defineStep({ accepts: Start, emits: Stop, workers: 1, run: () => Stop() })
 * const flow = workflow({ name: "short", start: Start, stop: Stop, steps: { finish } })
 *
 * console.log(toMermaid(flow))
 * // => flowchart LR
 * //      accTitle: Workflow short
 * //      n0(("start"))
 * //      n1["finish<br>1 worker"]
 * //      n2((("stop")))
 * //      n0 -->|"Start"| n1
 * //      n1 -->|"Stop"| n2
 * ```
 */
export function toMermaid(flow: Drawable, options?: DrawOptions): string {
  refuseUnknown("toMermaid", options, drawOptionNames)
  const picture = pictureOf(flow, options)
  const ids = new Map(picture.nodes.map((node) => [node.id, node]))
  const drawNode = (id: string): string => {
    const { kind, label, notes } = ids.get(id)!
    const [open, close] = shapes[kind]
    return `${id}${open}${quoted([shorten(label, 60), ...notes.map((note) => shorten(note, 60))])}${close}`
  }
  const framed = new Set(picture.frames.flatMap(({ nodes }) => nodes))
  const lines = [
    `accTitle: Workflow ${title(picture)}`,
    ...picture.nodes.filter(({ id }) => !framed.has(id)).map(({ id }) => drawNode(id)),
    ...picture.frames
      .filter(({ within }) => within === undefined)
      .flatMap((frame) => drawFrame(frame, picture, drawNode)),
    ...picture.edges.map(({ from, to, events, back }) => {
      const arrow = events.length === 0 ? "==>" : back ? "-.->" : "-->"
      return `${from} ${arrow}${events.length === 0 ? "" : `|${quoted(eventLines(events, 8))}|`} ${to}`
    }),
    ...marks(picture)
  ]
  return [`flowchart ${picture.direction === "right" ? "LR" : "TD"}`, ...lines.map((line) => `  ${line}`)].join("\n")
}

/** Paths that were never taken, in red. */
const marks = ({ nodes, edges }: Picture): ReadonlyArray<string> => {
  const red = "stroke:#cf222e,stroke-dasharray:2 4"
  const arrows = edges.flatMap(({ missed }, i) => (missed ? [i] : []))
  const gates = nodes.filter(({ missed }) => missed).map(({ id }) => id)
  return [
    ...(arrows.length === 0 ? [] : [`linkStyle ${arrows.join(",")} ${red}`]),
    ...gates.map((id) => `style ${id} ${red}`)
  ]
}

const drawFrame = (frame: PictureFrame, picture: Picture, drawNode: (id: string) => string): ReadonlyArray<string> => [
  `subgraph ${frame.id}[${quoted([shorten(frame.label, 60)])}]`,
  ...[
    ...frame.nodes.map(drawNode),
    ...picture.frames
      .filter(({ within }) => within === frame.id)
      .flatMap((inner) => drawFrame(inner, picture, drawNode))
  ].map((line) => `  ${line}`),
  "end"
]

/** Mermaid reads the title as the rest of the line, not as a string. */
const title = ({ name }: Picture): string =>
  shorten(name.replace(/[^\p{L}\p{N} :,()_-]/gu, " "), 60) || "without a name"
