/**
 * The picture of a workflow for a terminal.
 */
import type { Picture } from "./picture.ts"
import { painter, type TextOptions } from "./terminal.ts"
import { shorten } from "./text.ts"

export const graphText = (picture: Picture, { colour = false }: TextOptions = {}): string => {
  const paint = painter(colour)
  const nodes = new Map(picture.nodes.map((node) => [node.id, node]))
  const gates = new Map(
    picture.edges.filter(({ events }) => events.length === 0).map(({ from, to }) => [to, nodes.get(from)!])
  )
  const nameOf = (id: string): string => {
    const { step, label, kind } = nodes.get(id)!
    return paint(kind === "stop" ? "green" : "bold", shorten(step ?? label))
  }
  const blocks = picture.nodes
    .filter(({ kind }) => kind === "start" || kind === "inputs" || kind === "step")
    .map(({ id, notes }) => {
      const gate = gates.get(id)
      const waits =
        gate === undefined
          ? []
          : [
              paint(
                gate.missed ? "red" : "yellow",
                `  waits: ${[gate.label, ...gate.notes].map((note) => shorten(note, 80)).join(", ")}`
              )
            ]
      const ways = picture.edges
        .filter(({ from, events }) => from === id && events.length > 0)
        .map(({ to, events, back, missed }) => {
          const by = events.map((event) => shorten(event)).join(" or ")
          return `  ${back ? "↺" : "→"} ${nameOf(to)} by ${missed ? paint("red", by) : by}`
        })
      return [[nameOf(id), ...notes.map((note) => shorten(note))].join(", "), ...waits, ...ways].join("\n")
    })
  return [paint("bold", shorten(picture.name)), ...blocks].join("\n\n")
}
