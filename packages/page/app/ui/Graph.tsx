/**
 * The graph as `@stepgraph/viz` draws it, with the work of each step on it.
 */
import { toSvg } from "@stepgraph/viz"
import { useEffect, useRef } from "preact/hooks"
import type { Graph as GraphData } from "stepgraph/graph"
import type { StepModel } from "stepgraph/trace"
import { number } from "../format.ts"
import type { RunStore } from "../run-store.ts"

const svgNames = "http://www.w3.org/2000/svg"

let styled = false

/** It can still be read at this share of its size. */
const smallest = 0.8

/** From left to right if there is room: a page has more width than height. */
const fitting = (graph: GraphData, width: number): string => {
  const wide = toSvg(graph, { direction: "right" })
  return Number(/ width="([\d.]+)"/.exec(wide)?.[1]) * smallest <= width ? wide : toSvg(graph)
}

/** The picture as elements. Its style goes to the page, whose policy allows none inside. */
const drawn = (graph: GraphData, width: number): SVGSVGElement => {
  const [before = "", style = "", after = ""] = fitting(graph, width).split(/<\/?style>/)
  if (!styled) {
    styled = true
    const sheet = new CSSStyleSheet()
    sheet.replaceSync(style)
    document.adoptedStyleSheets.push(sheet)
  }
  const parsed = new DOMParser().parseFromString(before + after, "image/svg+xml").documentElement
  const svg = document.importNode(parsed, true) as unknown as SVGSVGElement
  const { height: high, width: wide } = svg.viewBox.baseVal
  // Other panes fit beside it.
  svg.classList.toggle("is-tall", high > wide)
  return svg
}

interface Mark {
  readonly node: Element
  readonly text: SVGTextElement
  readonly box: SVGRectElement
  readonly x: number
  last: string
}

/** A pill on the lower edge of each step and intake. */
const marksOf = (svg: SVGSVGElement) => {
  const steps = new Map<string, Mark>()
  const intakes = new Map<string, Mark>()
  for (const node of svg.querySelectorAll("g[data-step]")) {
    const shape = node.querySelector(".shape")
    const name = node.getAttribute("data-step")!
    const isStep = node.classList.contains("step")
    if (shape === null || name === "" || !(isStep || node.classList.contains("intake"))) continue
    const { x, y, width, height } = boxOf(shape)
    const mark = document.createElementNS(svgNames, "g")
    mark.setAttribute("class", "mark")
    const box = document.createElementNS(svgNames, "rect")
    const text = document.createElementNS(svgNames, "text")
    text.setAttribute("x", String(x + width / 2))
    text.setAttribute("y", String(y + height + 4))
    box.setAttribute("y", String(y + height - 8))
    box.setAttribute("height", "16")
    box.setAttribute("rx", "8")
    mark.append(box, text)
    mark.setAttribute("visibility", "hidden")
    node.append(mark)
    ;(isStep ? steps : intakes).set(name, { node, text, box, x: x + width / 2, last: "" })
  }
  return { steps, intakes }
}

const boxOf = (shape: Element) => {
  const of = (name: string) => Number(shape.getAttribute(name))
  if (shape.tagName === "rect") return { x: of("x"), y: of("y"), width: of("width"), height: of("height") }
  const points = (shape.getAttribute("points") ?? "").split(" ").map((point) => point.split(",").map(Number))
  const xs = points.map(([x]) => x ?? 0)
  const ys = points.map(([, y]) => y ?? 0)
  const [x, y] = [Math.min(...xs), Math.min(...ys)]
  return { x, y, width: Math.max(...xs) - x, height: Math.max(...ys) - y }
}

const write = (mark: Mark | undefined, text: string, state: string): void => {
  const now = `${state} ${text}`
  if (mark === undefined || mark.last === now) return
  mark.last = now
  const group = mark.text.parentElement!
  mark.text.textContent = text
  const width = text.length * 6.3 + 14
  mark.box.setAttribute("x", String(mark.x - width / 2))
  mark.box.setAttribute("width", String(width))
  if (text === "") group.setAttribute("visibility", "hidden")
  else group.removeAttribute("visibility")
  for (const name of ["is-running", "is-queued", "is-held", "is-failed", "is-done"]) {
    mark.node.classList.toggle(name, name === state)
  }
}

const workOf = ({ failed, paused, queued, running, succeeded }: StepModel): readonly [text: string, state: string] => {
  const parts = [
    running > paused ? `▶ ${number(running - paused)}` : "",
    paused > 0 ? `? ${number(paused)}` : "",
    queued > 0 ? `⋯ ${number(queued)}` : "",
    succeeded > 0 ? `✓ ${number(succeeded)}` : "",
    failed > 0 ? `✕ ${number(failed)}` : ""
  ]
  const state =
    running > 0 ? "is-running" : queued > 0 ? "is-queued" : failed > 0 ? "is-failed" : succeeded > 0 ? "is-done" : ""
  return [parts.filter((part) => part !== "").join("  "), state]
}

export const Graph = ({
  graph,
  onPick,
  selected,
  store
}: {
  readonly graph: GraphData
  readonly store?: RunStore
  readonly selected?: string | undefined
  readonly onPick?: (step: string) => void
}) => {
  const host = useRef<HTMLDivElement>(null)
  useEffect(() => {
    const svg = drawn(graph, host.current!.clientWidth)
    host.current!.replaceChildren(svg)
    const marks = marksOf(svg)
    const show = () => {
      for (const step of store?.model.steps.values() ?? []) {
        const [text, state] = workOf(step)
        write(marks.steps.get(step.name), text, state)
        write(
          marks.intakes.get(step.name),
          step.held > 0 ? `has ${number(step.held)}` : "",
          step.held > 0 ? "is-held" : ""
        )
      }
    }
    for (const node of onPick === undefined ? [] : svg.querySelectorAll<SVGGElement>("g.step[data-step]")) {
      const name = node.getAttribute("data-step")!
      node.setAttribute("tabindex", "0")
      node.setAttribute("role", "button")
      node.addEventListener("click", () => onPick!(name))
      node.addEventListener("keydown", (event) => {
        if (event.key === "Enter" || event.key === " ") {
          event.preventDefault()
          onPick!(name)
        }
      })
    }
    if (onPick !== undefined) svg.setAttribute("role", "group")
    show()
    return store?.subscribe(show)
  }, [graph, store])
  useEffect(() => {
    for (const node of host.current!.querySelectorAll("g[data-step]")) {
      node.classList.toggle("is-selected", selected !== undefined && node.getAttribute("data-step") === selected)
    }
  }, [graph, store, selected])
  return (
    <div>
      <div class="graph" ref={host} />
      {store === undefined ? null : (
        <p class="legend" aria-hidden="true">
          <span>▶ running</span>
          <span>? waits for an answer</span>
          <span>⋯ queued</span>
          <span>✓ done</span>
          <span>✕ failed</span>
          <span>has: held by an intake</span>
        </p>
      )}
    </div>
  )
}
