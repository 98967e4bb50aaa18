import { beforeAll, describe, expect, it } from "@effect/vitest"
import { Graphviz } from "@hpcc-js/wasm-graphviz"
import { toDot, toMermaid, toSvg, toText } from "@stepgraph/viz"
import DOMPurify from "dompurify"
import * as Effect from "effect/Effect"
import mermaid from "mermaid"
import { collect, defineEvent, defineStep, workflow } from "stepgraph"
import { layoutOf } from "../src/internal/layout.ts"
import { pictureOf } from "../src/internal/model.ts"
import { everything, hostileFlow } from "./support/flows.ts"
import { wellFormed } from "./support/xml.ts"

// Mermaid's parser asks for a sanitizer that works in browsers alone. What it would leave of a label is no matter here.
Object.assign(DOMPurify, { addHook: () => {}, sanitize: (text: string) => text })

let graphviz: Graphviz
beforeAll(async () => {
  graphviz = await Graphviz.load()
})

describe("toMermaid", () => {
  it("draws each intake as what it is, scopes as frames, and loops as broken lines", () => {
    expect(toMermaid(everything)).toMatchSnapshot()
  })

  it("is a flowchart to Mermaid's own parser", async () => {
    expect(await mermaid.parse(toMermaid(everything))).toMatchObject({ diagramType: "flowchart-v2" })
    expect(await mermaid.parse(toMermaid(everything, { direction: "right" }))).toMatchObject({
      diagramType: "flowchart-v2"
    })
  })
})

describe("toDot", () => {
  it("says the same in DOT", () => {
    expect(toDot(everything)).toMatchSnapshot()
  })

  it("is a graph to Graphviz, with every step and frame", () => {
    const svg = graphviz.dot(toDot(everything))
    expect(svg).toContain("for each Doc")
    for (const step of Object.keys(everything.steps)) expect(svg).toContain(`>${step}</text>`)
  })
})

describe("toSvg", () => {
  it("has a title, a description in words, and every name as text", () => {
    const svg = toSvg(everything)
    expect(svg).toContain('<title id="sg-title">Workflow everything</title>')
    expect(svg).toMatch(/<desc id="sg-desc">10 steps\. From start to list by Start; /)
    for (const step of Object.keys(everything.steps)) expect(svg).toMatch(new RegExp(`<text [^>]*>${step}</text>`))
  })

  it("places everything inside the picture, and no step on another", () => {
    const { nodes, width, height } = layoutOf(pictureOf(everything))
    for (const [i, a] of nodes.entries()) {
      expect(a.x - a.width / 2).toBeGreaterThanOrEqual(0)
      expect(a.x + a.width / 2).toBeLessThanOrEqual(width)
      expect(a.y - a.height / 2).toBeGreaterThanOrEqual(0)
      expect(a.y + a.height / 2).toBeLessThanOrEqual(height)
      for (const b of nodes.slice(i + 1)) {
        const apart = Math.abs(a.x - b.x) >= (a.width + b.width) / 2 || Math.abs(a.y - b.y) >= (a.height + b.height) / 2
        expect(apart, `${a.label} and ${b.label}`).toBe(true)
      }
    }
  })
})

describe("a picture", () => {
  it("has a frame for each per, those of inner scopes inside", () => {
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

  it("shows a workflow inside a step folded, by its name", () => {
    const { nodes } = pictureOf(everything, { nested: { open: { name: "inner" } } })
    expect(nodes.find(({ kind, step }) => kind === "step" && step === "open")?.notes).toContain("runs inner")
  })

  it("of the same workflow is the same", () => {
    expect(toSvg(everything)).toBe(toSvg(everything))
  })
})

describe("what no schedule took", () => {
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

  it("is said and drawn in red", () => {
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
    expect(dot.match(/label="(Big|Small) \(never\)", style=dotted, color="#cf222e"/g)).toHaveLength(2)
    expect(dot).toMatch(/label="collect 2\\nnever fired".*color="#cf222e"/)
    expect(graphviz.dot(dot)).toContain("never fired")
    const svg = toSvg(sizes, { coverage })
    expect(svg.match(/class="(arrow|events|intake) missed"/g)).toHaveLength(5)
    expect(wellFormed(svg)).toBe(true)
  })

  it("is a flowchart to Mermaid's own parser", async () => {
    expect(await mermaid.parse(toMermaid(sizes, { coverage }))).toMatchObject({ diagramType: "flowchart-v2" })
  })

  it("is one event of several on an arrow, too", () => {
    const both = workflow({
      ...sizes,
      steps: { ...sizes.steps, size: { ...sizes.steps.size, emits: [Small, Big, Doc] } }
    } as any)
    expect(
      toText(both, { coverage: { missed: [{ from: "size", event: "Doc", to: "size" }], neverFired: [] } })
    ).toContain("size by Doc (never)")
  })
})

describe("names that mean something to a drawing's language break nothing", () => {
  it.prop("in Mermaid, DOT and SVG", { flow: hostileFlow }, ({ flow }) => {
    const dot = graphviz.dot(toDot(flow))
    expect(dot.match(/<g id="node\d+"/g)).toHaveLength(pictureOf(flow).nodes.length)
    expect(wellFormed(toSvg(flow))).toBe(true)
  })

  // Reading Mermaid is asynchronous.
  it.effect.prop("to Mermaid's parser", { flow: hostileFlow }, ({ flow }) =>
    Effect.promise(async () => {
      const { db } = await mermaid.mermaidAPI.getDiagramFromText(toMermaid(flow))
      const { nodes, edges } = (db as any).getData()
      const picture = pictureOf(flow)
      expect(nodes.filter(({ isGroup }: { isGroup: boolean }) => !isGroup)).toHaveLength(picture.nodes.length)
      expect(edges).toHaveLength(picture.edges.length)
    })
  )
})
