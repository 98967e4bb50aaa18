// Correct workflows in all their schedules: each has one result.
import { explore } from "@stepgraph/testing"
import { Effect, Schema } from "effect"
import { collect, defineEvent, defineStep, gather, join, race, workflow } from "stepgraph"
import { describe, expect, it } from "vitest"
import { digest } from "../../../examples/digest/workflow.ts"
import { search } from "../../../examples/search/workflow.ts"
import { byHand, declared } from "../../../examples/seed/collect-three.ts"
import { joined } from "../../../examples/seed/declared-order.ts"
import { firstWins } from "../../../examples/seed/first-wins.ts"
import { editing } from "../../../examples/seed/loop-and-branch.ts"
import { download } from "../../../examples/telemetry/workflow.ts"
import { seed } from "./seed.ts"
import { compare, comparePlain, madeUp } from "./shops.ts"

const explored = (flow: any, options: any = {}) =>
  Effect.runPromise<any, Error>(explore(flow, options) as Effect.Effect<any, any>)

const Start = defineEvent("Start")
const Doc = defineEvent("Doc", { id: Schema.Number })
const A = defineEvent("A", { id: Schema.Number })
const B = defineEvent("B", { id: Schema.Number })
const Page = defineEvent("Page", { text: Schema.String })
const Stop = defineEvent("Stop", { texts: Schema.Array(Schema.String) })

const pages = workflow({
  name: "pages",
  start: Start,
  stop: Stop,
  steps: {
    list: defineStep({ accepts: Start, emits: Doc, run: () => [1, 2, 3].map((id) => Doc({ id })) }),
    a: defineStep({ accepts: Doc, emits: A, run: ({ id }) => Effect.as(Effect.sleep(id), A({ id })) }),
    b: defineStep({ accepts: Doc, emits: B, run: ({ id }) => Effect.as(Effect.sleep(id), B({ id })) }),
    page: defineStep({
      accepts: join([B, A], { per: Doc }),
      emits: Page,
      run: ([b, a]) => Page({ text: `${b.id}${a.id}` })
    }),
    end: defineStep({
      accepts: gather(Page),
      emits: Stop,
      run: (pages) => Stop({ texts: pages.map(({ text }) => text) })
    })
  }
})

/** The demo's graph, with stubs for files and indexes. */
const demo = (() => {
  const { find, fuse, fuzzy, index, keyword, read, symbols } = search.steps as Record<string, any>
  const [File] = find.emits
  const [Passages] = read.emits
  const [Corpus] = index.emits
  const [Answer] = fuse.emits
  const slow = (event: () => unknown) => () => Effect.map(Effect.sleep(10), event)
  const ranking = (step: any) => ({ ...step, run: slow(() => step.emits[0]({ ranking: [1] })) })
  return workflow({
    ...search,
    steps: {
      find: {
        ...find,
        run: function* () {
          for (const file of ["a.md", "b.md"]) yield File({ folder: "docs", file })
        }
      },
      read: {
        ...read,
        run: ({ file }: any) => Effect.as(Effect.sleep(10), Passages({ passages: [{ file }] }))
      },
      index: {
        ...index,
        run: (files: ReadonlyArray<any>) => {
          const passages = files.flatMap(({ passages }) => passages)
          return Corpus({ question: "?", passages, files: files.length, unreadable: [] })
        }
      },
      keyword: ranking(keyword),
      fuzzy: ranking(fuzzy),
      symbols: ranking(symbols),
      fuse: {
        ...fuse,
        run: ([corpus]: any) =>
          Answer({ ranked: [], passages: corpus.passages.length, files: corpus.files, unreadable: [] })
      }
    }
  } as any)
})()

/** Immediate answers may come in any order; the overall limit is not tested here. */
const shops = {
  input: { item: "tea", shops: ["south", "closed", "north"] },
  time: "ordered",
  results: "any"
} as const

const flows: ReadonlyArray<readonly [name: string, flow: any, options: any, schedules: number]> = [
  [
    "the seed flow, ignoring the order of its answers",
    seed,
    { invariants: { sameResult: ({ result }: any) => result.split(", ").sort() } },
    6
  ],
  ["declared order", joined, { input: { a: 1, b: 2, c: 3 } }, 36],
  ["a loop and a branch", editing, { input: { text: "very really small", revisions: 3 } }, 1],
  ["a digest of two articles", digest, { input: { articles: 2 }, lanes: "in turn", schedules: 5_000 }, 80],
  ["a download from three mirrors, one of them retried", download, { input: { file: "a.txt" } }, 11],
  ["the prices of three shops, one of them closed", compare, { ...shops, layer: madeUp }, 6],
  ["the same with promises", comparePlain, shops, 6],
  ["the demo, with stubs", demo, { input: { question: "?", folder: "docs", patterns: [] } }, 72]
]

describe("completes with one result", () => {
  it.for(flows)("%s", async ([, flow, options, schedules]) => {
    const { complete, schedules: tried, outcomes } = await explored(flow, options)
    expect({ complete, tried }).toEqual({ complete: true, tried: schedules })
    if (flow !== seed) expect(outcomes).toHaveLength(1)
  })

  it("three documents, two steps for each, joined per document: within 2,000 schedules", async () => {
    const { outcomes, schedules, coverage } = await explored(pages, { schedules: 2_000, random: 200 })
    expect(outcomes.map(({ outcome }: any) => outcome.text)).toEqual(['Stop {"texts":["11","22","33"]}'])
    expect([schedules, coverage.ratio]).toEqual([2_200, 1])
  })

  it("the same with its lanes in turn", async () => {
    const { complete, schedules, outcomes } = await explored(pages, { lanes: "in turn" })
    expect([complete, schedules, outcomes.length]).toEqual([true, 720, 1])
  })
})

describe("reports its findings", () => {
  it("six results of the seed flow, one for each order", async () => {
    const { complete, outcomes } = await explored(seed, { invariants: { sameResult: false } })
    expect(complete).toBe(true)
    expect(outcomes.map(({ outcome, times }: any) => [outcome.result.result, times])).toMatchSnapshot()
  })

  it("every winner of an intended race", async () => {
    const { complete, outcomes } = await explored(firstWins, { invariants: { sameResult: false } })
    expect([complete, outcomes.length]).toEqual([true, 3])
  })

  it("real timers as not under control", async () => {
    for (const flow of [byHand, declared]) {
      const { complete, uncontrolled } = await explored(flow, {
        invariants: { sameResult: false },
        schedules: 2,
        random: 0,
        warn: false
      })
      expect(complete).toBe(false)
      expect(uncontrolled).toContain("step 'search' waits for a promise that only the outside world can settle")
    }
  })

  it("the paths that no schedule took", async () => {
    const Big = defineEvent("Big", { id: Schema.Number })
    const flow = workflow({
      name: "sizes",
      start: Start,
      stop: Page,
      steps: {
        list: defineStep({ accepts: Start, emits: Doc, run: () => Doc({ id: 1 }) }),
        size: defineStep({ accepts: Doc, emits: [A, Big], run: ({ id }) => (id > 9 ? Big({ id }) : A({ id })) }),
        small: defineStep({ accepts: A, emits: Page, run: () => Page({ text: "small" }) }),
        big: defineStep({ accepts: collect(Big, 1), emits: Page, run: () => Page({ text: "big" }) }),
        none: defineStep({ accepts: race(Big), emits: [], run: () => {} })
      }
    })
    const { coverage } = await explored(flow)
    expect(coverage).toEqual({
      all: 9,
      taken: 4,
      ratio: 4 / 9,
      missed: [
        { from: "size", event: "Big", to: "big" },
        { from: "size", event: "Big", to: "none" },
        { from: "big", event: "Page", to: null }
      ],
      neverFired: ["big", "none"]
    })
  })
})
