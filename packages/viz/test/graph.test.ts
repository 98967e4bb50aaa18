import { beforeAll, describe, expect, it } from "@effect/vitest"
import { Graphviz } from "@hpcc-js/wasm-graphviz"
import { type Drawable, type DrawOptions, toDot, toHtml, toMermaid, toSvg, toText } from "@stepgraph/viz"
import DOMPurify from "dompurify"
import * as Effect from "effect/Effect"
import mermaid from "mermaid"
import { asStep, collect, defineEvent, defineStep, workflow } from "stepgraph"
import { type Graph, graphOf } from "stepgraph/graph"
import { layoutOf, type PlacedNode } from "../src/internal/layout.ts"
import { pictureOf } from "../src/internal/model.ts"
import { type Box, cornersOf, type Point } from "../src/internal/shapes.ts"
import { everything, hostileFlow, makeEverything, named } from "./support/flows.ts"
import { unusual as unusualShapes } from "./support/unusual.ts"

const unusual = { "everything at once": everything, ...unusualShapes }

// Mermaid's parser needs a sanitizer that works only in browsers. Its effect on labels does not matter here.
Object.assign(DOMPurify, { addHook: () => {}, sanitize: (text: string) => text })

let graphviz: Graphviz
beforeAll(async () => {
  graphviz = await Graphviz.load()
})

const readByMermaid = async (flow: Drawable, options?: DrawOptions) => {
  const { db } = await mermaid.mermaidAPI.getDiagramFromText(toMermaid(flow, options))
  const { nodes, edges } = (db as any).getData()
  return { nodes: nodes.filter(({ isGroup }: { isGroup: boolean }) => !isGroup).length, edges: edges.length }
}

const apart = (a: Box, b: Box): boolean =>
  Math.abs(a.x - b.x) >= (a.width + b.width) / 2 || Math.abs(a.y - b.y) >= (a.height + b.height) / 2

/** Whether a point lies on the outline of a node's shape. */
const touches = (node: PlacedNode, { x, y }: Point): boolean => {
  const corners = cornersOf(node.node.kind, node)
  if (corners === undefined) return Math.abs(Math.hypot(x - node.x, y - node.y) - node.width / 2) < 0.01
  return corners.some((a, i) => {
    const b = corners[(i + 1) % corners.length]!
    return Math.hypot(a.x - x, a.y - y) + Math.hypot(b.x - x, b.y - y) - Math.hypot(a.x - b.x, a.y - b.y) < 0.01
  })
}

describe("toMermaid", () => {
  it("draws intakes by kind, scopes as frames, and loops as broken lines", () => {
    expect(toMermaid(everything)).toMatchSnapshot()
  })

  it("is accepted by Mermaid's own parser", async () => {
    expect(await mermaid.parse(toMermaid(everything))).toMatchObject({ diagramType: "flowchart-v2" })
    expect(await mermaid.parse(toMermaid(everything, { direction: "right" }))).toMatchObject({
      diagramType: "flowchart-v2"
    })
  })
})

describe("toDot", () => {
  it("draws the same graph in DOT", () => {
    expect(toDot(everything)).toMatchSnapshot()
  })

  it("is accepted by Graphviz, with every step and frame", () => {
    const svg = graphviz.dot(toDot(everything))
    expect(svg).toContain("for each Doc")
    for (const step of Object.keys(everything.steps)) expect(svg).toContain(`>${step}</text>`)
  })
})

describe("toSvg", () => {
  it("has a title, a description in words, and every name as text", () => {
    const svg = toSvg(everything)
    expect(svg).toContain("<title>Workflow everything</title>")
    expect(svg).toMatch(/<desc>10 steps\. From start to list by Start; /)
    for (const step of Object.keys(everything.steps)) expect(svg).toMatch(new RegExp(`<text [^>]*>${step}</text>`))
  })

  it("contains only characters that XML allows", () => {
    const name = "a\u0000\u001b\ud800\ufffe\uffff"
    expect(toSvg({ ...everything, name })).toContain("<title>Workflow a ���</title>")
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
    expect(toSvg({ ...everything, name })).not.toMatch(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/)
  })
})

describe("a picture", () => {
  it("draws a frame for each per, with inner scopes inside", () => {
    const { frames, nodes } = pictureOf(everything)
    const named = frames.map(({ label, nodes: ids, within }) => {
      const steps = new Set(nodes.filter(({ id }) => ids.includes(id)).map(({ step }) => step))
      return { label, steps: [...steps], within: frames.find(({ id }) => id === within)?.label }
    })
    expect(named).toEqual([
      { label: "for each Doc", steps: ["open", "write"], within: undefined },
      { label: "for each Page", steps: ["read", "words"], within: "for each Doc" }
    ])
  })

  it("marks the arrow that closes a loop", () => {
    const { edges, nodes } = pictureOf(everything)
    const step = (id: string) => nodes.find((node) => node.id === id)?.step
    expect(edges.filter(({ back }) => back).map(({ from, to }) => [step(from), step(to)])).toEqual([
      ["revise", "check"]
    ])
  })

  it("draws a nested workflow folded, by its name", () => {
    const { nodes } = pictureOf(everything, { nested: { open: { name: "inner" } } })
    expect(nodes.find(({ kind, step }) => kind === "step" && step === "open")?.notes).toContain("runs inner")
  })

  it("draws the workflow of `asStep` folded, also in a graph from JSON", () => {
    const { start, stop } = everything
    const outer = workflow({ name: "outer", start, stop, steps: { all: asStep(everything) } })
    for (const flow of [outer, JSON.parse(JSON.stringify(graphOf(outer))) as Graph]) {
      const node = pictureOf(flow).nodes.find(({ step }) => step === "all")!
      expect(node.notes).toContain("runs everything")
      expect(pictureOf(node.inner!).nodes).toEqual(pictureOf(everything).nodes)
      expect(toText(flow)).toContain("all, 4 workers, runs everything")
    }
  })

  it("draws what a step asks for as an arrow from the inputs to the step itself", () => {
    const [Start, Yes, Question, Stop] = ["Start", "Yes", "Question", "Stop"].map((tag) => defineEvent(tag))
    const flow = workflow({
      name: "asking",
      start: Start!,
      stop: Stop!,
      inputs: [Yes!],
      outputs: [Question!],
      steps: {
        both: defineStep({ accepts: collect(Start!, 1), emits: [Question!, Stop!], asks: Yes!, run: () => {} })
      }
    } as any)
    const { edges, nodes } = pictureOf(flow)
    const step = nodes.find(({ kind }) => kind === "step")!
    const inputs = nodes.find(({ kind }) => kind === "inputs")!
    expect(edges.find(({ from }) => from === inputs.id)).toMatchObject({ to: step.id, events: ["Yes"] })
    expect(step.notes).toContain("asks for Yes")
  })

  it("draws the same workflow identically, byte for byte", () => {
    for (const drawing of [toMermaid, toDot, toSvg, toHtml, toText]) {
      expect(drawing(makeEverything())).toBe(drawing(makeEverything()))
    }
  })

  it("draws a graph from JSON like its workflow", () => {
    for (const flow of Object.values(unusual)) {
      const sent: Graph = JSON.parse(JSON.stringify(graphOf(flow)))
      for (const drawing of [toMermaid, toDot, toSvg, toHtml, toText]) expect(drawing(sent)).toBe(drawing(flow))
    }
  })
})

const directions = ["right", "down"] as const
const all = Object.entries(unusual).flatMap(([what, flow]) => directions.map((to) => [what, to, flow] as const))
for (const [what, direction, flow] of all) {
  describe(`${what}, drawn ${direction === "right" ? "to the right" : "down"}`, () => {
    const picture = pictureOf(flow, { direction })
    const { nodes, edges, frames, width, height } = layoutOf(picture)

    it("is read correctly by Mermaid and Graphviz", async () => {
      expect(await readByMermaid(flow, { direction })).toEqual({
        nodes: picture.nodes.length,
        edges: picture.edges.length
      })
      const svg = graphviz.dot(toDot(flow, { direction }))
      expect(svg.match(/<g id="node\d+"/g)).toHaveLength(picture.nodes.length)
      expect(svg.match(/<g id="edge\d+"/g)).toHaveLength(picture.edges.length)
    })

    it("places every node and label inside the picture", () => {
      const boxes = [...nodes, ...frames, ...edges.map(({ words }) => words)]
      for (const box of boxes) {
        expect(box.x - box.width / 2).toBeGreaterThanOrEqual(0)
        expect(box.x + box.width / 2).toBeLessThanOrEqual(width)
        expect(box.y - box.height / 2).toBeGreaterThanOrEqual(0)
        expect(box.y + box.height / 2).toBeLessThanOrEqual(height)
      }
      for (const [i, a] of nodes.entries()) for (const b of nodes.slice(i + 1)) expect(apart(a, b)).toBe(true)
      for (const outer of frames) {
        const inside = frames.filter(({ frame }) => frame === outer.frame || frame.within === outer.frame.id)
        const members = new Set(inside.flatMap(({ frame }) => frame.nodes))
        for (const box of nodes) expect(apart(box, outer), box.label).toBe(!members.has(box.node.id))
      }
    })

    it("draws arrows from outline to outline, and loops that lead back", () => {
      const of = new Map(nodes.map((node) => [node.node.id, node]))
      const further = picture.direction === "right" ? ("x" as const) : ("y" as const)
      for (const { edge, points } of edges) {
        const [from, to] = [of.get(edge.from)!, of.get(edge.to)!]
        expect(touches(from, points[0]!), `${from.label} → ${to.label} begins`).toBe(true)
        expect(touches(to, points.at(-1)!), `${from.label} → ${to.label} ends`).toBe(true)
        if (from !== to) expect(to[further] > from[further], `${from.label} → ${to.label}`).toBe(!edge.back)
      }
    })
  })
}

describe("a value that is not a workflow", () => {
  const draw = (what: unknown) => () => toSvg(what as never)

  it("is refused with an explanation", () => {
    expect(draw({})).toThrow("Cannot draw {}: pass the result of workflow(), or timeline(trace) for a run")
    expect(draw(undefined)).toThrow("Cannot draw undefined: ")
    expect(draw("flow")).toThrow('Cannot draw "flow": ')
    expect(draw([{ _tag: "RunStarted" }])).toThrow("Cannot draw a list of 1: ")
    expect(draw(everything.steps.list)).toThrow("Cannot draw an object with accepts, emits, ")
  })

  it("is refused by every drawing", () => {
    for (const drawing of [toMermaid, toDot, toSvg, toHtml, toText]) {
      expect(() => drawing({ steps: {} } as never)).toThrow("Cannot draw an object with steps")
    }
  })
})

describe("paths that no schedule took", () => {
  const Doc = defineEvent("Doc")
  const Small = defineEvent("Small")
  const Big = defineEvent("Big")
  const sizes = workflow({
    name: "sizes",
    start: Doc,
    stop: Small,
    steps: {
      size: defineStep({ accepts: Doc, emits: [Small, Big], run: () => Small() }),
      big: defineStep({ accepts: collect(Big, 2), emits: Small, run: () => Small() })
    }
  })
  const coverage = {
    missed: [
      { from: "size", event: "Big", to: "big" },
      { from: "big", event: "Small", to: null }
    ],
    neverFired: ["big"]
  }

  it("are labelled and drawn in red", () => {
    expect(toText(sizes, { coverage })).toMatchInlineSnapshot(`
      "sizes

      start
        → size by Doc

      size, 4 workers
        → stop by Small
        → big by Big (never)

      big, 4 workers
        waits: collect 2, never fired
        → stop by Small (never)"
    `)
    expect(toMermaid(sizes, { coverage })).toMatchInlineSnapshot(`
      "flowchart LR
        accTitle: Workflow sizes
        n0(("start"))
        n1["size<br>4 workers"]
        n2[/"collect 2<br>never fired"/]
        n3["big<br>4 workers"]
        n4((("stop")))
        n0 -->|"Doc"| n1
        n1 -->|"Small"| n4
        n1 -->|"Big (never)"| n2
        n3 -->|"Small (never)"| n4
        n2 ==> n3
        linkStyle 2,3 stroke:#cf222e,stroke-dasharray:2 4
        style n2 stroke:#cf222e,stroke-dasharray:2 4"
    `)
    const dot = toDot(sizes, { coverage })
    expect(dot.match(/label=" (Big|Small) \(never\) ", style=dotted, color="#cf222e"/g)).toHaveLength(2)
    expect(dot).toMatch(/label="collect 2\\nnever fired".*color="#cf222e"/)
    expect(graphviz.dot(dot)).toContain("never fired")
    const svg = toSvg(sizes, { coverage })
    expect(svg.match(/class="(arrow|events|intake) missed"/g)).toHaveLength(5)
  })

  it("are accepted by Mermaid's own parser", async () => {
    expect(await mermaid.parse(toMermaid(sizes, { coverage }))).toMatchObject({ diagramType: "flowchart-v2" })
  })

  it("can be one of several events on an arrow", () => {
    const both = workflow({
      ...sizes,
      steps: { ...sizes.steps, size: { ...sizes.steps.size, emits: [Small, Big, Doc] } }
    } as any)
    expect(
      toText(both, { coverage: { missed: [{ from: "size", event: "Doc", to: "size" }], neverFired: [] } })
    ).toContain("size by Doc (never)")
  })
})

describe("names with a meaning in a drawing language break nothing", () => {
  it.prop("in DOT", { flow: hostileFlow }, ({ flow }) => {
    const svg = graphviz.dot(toDot(flow))
    expect(svg.match(/<g id="node\d+"/g)).toHaveLength(pictureOf(flow).nodes.length)
    expect(svg.match(/<g id="edge\d+"/g)).toHaveLength(pictureOf(flow).edges.length)
  })

  it("are unchanged in DOT", () => {
    const svg = graphviz.dot(toDot(named('a &amp; "b"', "<i>\\\\n</i>")))
    expect(svg).toContain(">a &amp;amp; &quot;b&quot;</text>")
    expect(svg).toContain("&lt;i&gt;\\\\n&lt;/i&gt;")
  })

  // Mermaid parses asynchronously.
  it.effect.prop("in Mermaid", { flow: hostileFlow }, ({ flow }) =>
    Effect.promise(async () => {
      const { nodes, edges } = pictureOf(flow)
      expect(await readByMermaid(flow)).toEqual({ nodes: nodes.length, edges: edges.length })
    })
  )
})
