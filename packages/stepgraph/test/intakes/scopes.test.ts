import { describe, expect, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { collect, defineEvent, defineStep, gather, join, race, run, workflow } from "stepgraph"
import { defect, random, result } from "../support/virtual.ts"

const Start = defineEvent("Start")
const Doc = defineEvent("Doc", { doc: Schema.String, chunks: Schema.Array(Schema.Number) })
const Chunk = defineEvent("Chunk", { chunk: Schema.String, pages: Schema.Number })
const Page = defineEvent("Page", { page: Schema.String })
const Read = defineEvent("Read", { page: Schema.String })
const ChunkRead = defineEvent("ChunkRead", { text: Schema.String })
const DocRead = defineEvent("DocRead", { text: Schema.String })
const Note = defineEvent("Note")
const Stop = defineEvent("Stop", { text: Schema.String })

const words = (texts: ReadonlyArray<{ readonly text: string }>) => texts.map(({ text }) => text).join(" ")
const define = { name: "documents", start: Start, stop: Stop }
const after = <A>(millis: number, value: A) => Effect.as(Effect.sleep(millis), value)

/** A library: for each document the number of pages of each of its chunks. */
type Library = ReadonlyArray<ReadonlyArray<number>>

const reading = (library: Library, delay: () => number) => {
  const begin = defineStep({
    accepts: Start,
    emits: Doc,
    run: () => library.map((chunks, doc) => Doc({ doc: `${doc}`, chunks }))
  })
  const split = defineStep({
    accepts: Doc,
    emits: Chunk,
    run: ({ doc, chunks }) =>
      after(
        delay(),
        chunks.map((pages, chunk) => Chunk({ chunk: `${doc}.${chunk}`, pages }))
      )
  })
  const turn = defineStep({
    accepts: Chunk,
    emits: Page,
    run: function* ({ chunk, pages }) {
      for (let page = 0; page < pages; page++) yield Page({ page: `${chunk}.${page}` })
    }
  })
  const read = defineStep({ accepts: Page, emits: Read, run: ({ page }) => after(delay(), Read({ page })) })
  const perChunk = defineStep({
    accepts: gather(Read, { per: Chunk }),
    emits: ChunkRead,
    run: (pages, { per }) => after(delay(), ChunkRead({ text: `${per.chunk}(${pages.map(({ page }) => page)})` }))
  })
  const perDoc = defineStep({
    accepts: gather(ChunkRead, { per: Doc }),
    emits: DocRead,
    run: (chunks, { per }) => after(delay(), DocRead({ text: `${per.doc}[${words(chunks)}]` }))
  })
  const whole = defineStep({ accepts: gather(DocRead), emits: Stop, run: (docs) => Stop({ text: words(docs) }) })
  return workflow({ ...define, steps: { begin, split, turn, read, perChunk, perDoc, whole } })
}

const told = (library: Library) =>
  library
    .map((chunks, doc) => {
      const texts = chunks.map((pages, chunk) => {
        const names = Array.from({ length: pages }, (_, page) => `${doc}.${chunk}.${page}`)
        return `${doc}.${chunk}(${names})`
      })
      return `${doc}[${texts.join(" ")}]`
    })
    .join(" ")

describe("gather per", () => {
  const libraries: ReadonlyArray<{ name: string; library: Library }> = [
    { name: "zero documents", library: [] },
    { name: "one document of zero chunks", library: [[]] },
    { name: "one chunk of zero pages", library: [[0]] },
    { name: "one page", library: [[1]] },
    { name: "documents with and without chunks", library: [[], [2], []] },
    { name: "chunks with and without pages", library: [[0, 2, 0], [0, 0], [3]] },
    {
      name: "three by two by two",
      library: [
        [2, 2],
        [2, 2],
        [2, 2]
      ]
    }
  ]
  it.effect.each(libraries)("gathers documents, chunks and pages, each at its level: $name", ({ library }) =>
    Effect.gen(function* () {
      for (const delay of [() => 0, () => 10, random(7), () => Math.floor(100 * Math.random())]) {
        const { text } = yield* result(run(reading(library, delay)))
        expect(text).toEqual(told(library))
      }
    })
  )

  it.effect("gives one result over all timings, whatever the shape", () =>
    Effect.gen(function* () {
      for (let seed = 1; seed <= 60; seed++) {
        const next = random(seed)
        const below = (n: number) => Math.floor(next() * n)
        const library = Array.from({ length: below(4) }, () => Array.from({ length: below(4) }, () => below(4)))
        const { text } = yield* result(run(reading(library, () => below(50))))
        expect(text, `seed ${seed}`).toEqual(told(library))
      }
    })
  )

  it.effect("gives the opener first where the intake accepts it too, wherever its step stands", () =>
    Effect.gen(function* () {
      const begin = defineStep({
        accepts: Start,
        emits: Doc,
        run: () => ["a", "b"].map((doc) => Doc({ doc, chunks: [1, 2] }))
      })
      const split = defineStep({
        accepts: Doc,
        emits: Chunk,
        run: ({ doc, chunks }) => chunks.map((pages) => Chunk({ chunk: `${doc}${pages}`, pages }))
      })
      const perDoc = defineStep({
        accepts: gather([Doc, Chunk], { per: Doc }),
        emits: DocRead,
        run: (events) => DocRead({ text: events.map((event) => ("doc" in event ? event.doc : event.chunk)).join() })
      })
      const whole = defineStep({ accepts: gather(DocRead), emits: Stop, run: (docs) => Stop({ text: words(docs) }) })
      for (const steps of [
        { begin, perDoc, split, whole },
        { begin, split, perDoc, whole }
      ]) {
        expect((yield* result(run(workflow({ ...define, steps })))).text).toBe("a,a1,a2 b,b1,b2")
      }
    })
  )

  it.effect("runs with the opener alone where nothing else takes it", () =>
    Effect.gen(function* () {
      const begin = defineStep({
        accepts: Start,
        emits: Doc,
        run: () => ["a", "b"].map((doc) => Doc({ doc, chunks: [] }))
      })
      const perDoc = defineStep({
        accepts: gather(Doc, { per: Doc }),
        emits: DocRead,
        run: (docs, { per }) => DocRead({ text: `${per.doc}:${docs.map(({ doc }) => doc)}` })
      })
      const whole = defineStep({ accepts: gather(DocRead), emits: Stop, run: (docs) => Stop({ text: words(docs) }) })
      expect((yield* result(run(workflow({ ...define, steps: { begin, perDoc, whole } })))).text).toBe("a:a b:b")
    })
  )

  it.effect("counts each event for the nearest scope of its type", () =>
    Effect.gen(function* () {
      // A document whose chunks are numbers; a number above 10 is a document of its own, split off that one.
      const begin = defineStep({ accepts: Start, emits: Doc, run: () => Doc({ doc: "a", chunks: [1, 2, 11, 3, 22] }) })
      const split = defineStep({
        accepts: Doc,
        emits: [Doc, Page],
        run: ({ doc, chunks }) =>
          after(
            10,
            chunks.map((n) => {
              if (n < 10) return Page({ page: `${doc}${n}` })
              return Doc({ doc: `${doc}/${n}`, chunks: Array.from({ length: n % 10 }, (_, i) => i) })
            })
          )
      })
      const read = defineStep({ accepts: Page, emits: Read, run: ({ page }) => after(page.length, Read({ page })) })
      const perDoc = defineStep({
        accepts: gather(Read, { per: Doc }),
        emits: DocRead,
        run: (pages, { per }) => after(1, DocRead({ text: `${per.doc}(${pages.map(({ page }) => page)})` }))
      })
      const whole = defineStep({ accepts: gather(DocRead), emits: Stop, run: (docs) => Stop({ text: words(docs) }) })
      const flow = workflow({ ...define, steps: { begin, split, read, perDoc, whole } })
      const { text } = yield* result(run(flow))
      expect(text.split(" ").sort()).toEqual(["a(a1,a2,a3)", "a/11(a/110)", "a/22(a/220,a/221)"])
    })
  )

  it.effect("keeps each document's rounds apart", () =>
    Effect.gen(function* () {
      const log: Array<string> = []
      const begin = defineStep({
        accepts: Start,
        emits: Doc,
        run: () => [1, 2, 3].map((n) => Doc({ doc: `${n}`, chunks: [n] }))
      })
      const turn = defineStep({
        accepts: Doc,
        emits: Page,
        run: ({ doc, chunks }) => chunks.map((n) => Page({ page: `${doc}${"x".repeat(n)}` }))
      })
      const read = defineStep({ accepts: Page, emits: Read, run: ({ page }) => after(page.length, Read({ page })) })
      const round = defineStep({
        accepts: gather(Read, { per: Doc }),
        emits: [Page, DocRead],
        run: (pages, { per }) => {
          log.push(`${per.doc}:${pages.map(({ page }) => page)}`)
          const [first] = pages
          return first!.page.length > 3
            ? DocRead({ text: first!.page })
            : [Page({ page: `${first!.page}y` }), Page({ page: "z" })]
        }
      })
      const whole = defineStep({ accepts: gather(DocRead), emits: Stop, run: (docs) => Stop({ text: words(docs) }) })
      const flow = workflow({ ...define, steps: { begin, turn, read, round, whole } })
      expect((yield* result(run(flow))).text).toBe("1xyy 2xxy 3xxx")
      expect(log.sort()).toEqual(["1:1x", "1:1xy,z", "1:1xyy,z", "2:2xx", "2:2xxy,z", "3:3xxx"])
    })
  )

  it.effect("gathers the same event per chunk, per document and for the run, each in its own time", () =>
    Effect.gen(function* () {
      const log: Array<string> = []
      const begin = defineStep({
        accepts: Start,
        emits: Doc,
        run: () => [Doc({ doc: "a", chunks: [2, 1] }), Doc({ doc: "b", chunks: [] }), Doc({ doc: "c", chunks: [0] })]
      })
      const split = defineStep({
        accepts: Doc,
        emits: Chunk,
        run: ({ doc, chunks }) => chunks.map((pages, i) => Chunk({ chunk: `${doc}${i}`, pages }))
      })
      const read = defineStep({
        accepts: Chunk,
        emits: Read,
        run: ({ chunk, pages }) =>
          after(
            10 * pages,
            Array.from({ length: pages }, (_, i) => Read({ page: `${chunk}${i}` }))
          )
      })
      const names = (reads: ReadonlyArray<{ readonly page: string }>) => reads.map(({ page }) => page).join(",")
      const perChunk = defineStep({
        accepts: gather(Read, { per: Chunk }),
        emits: [],
        run: (reads, { per }) => void log.push(`${per.chunk}(${names(reads)})`)
      })
      const perDoc = defineStep({
        accepts: gather(Read, { per: Doc }),
        emits: [],
        run: (reads, { per }) => void log.push(`${per.doc}[${names(reads)}]`)
      })
      const whole = defineStep({
        accepts: gather(Read),
        emits: Stop,
        run: (reads) => {
          log.push("whole")
          return Stop({ text: names(reads) })
        }
      })
      const flow = workflow({ ...define, steps: { whole, perDoc, perChunk, begin, split, read } })
      expect((yield* result(run(flow))).text).toBe("a00,a01,a10")
      expect(log).toEqual(["b[]", "c0()", "c[]", "a1(a10)", "a0(a00,a01)", "a[a00,a01,a10]", "whole"])
    })
  )

  it.effect("runs one gather of a document after the other, with [] where nothing came", () =>
    Effect.gen(function* () {
      const begin = defineStep({
        accepts: Start,
        emits: Doc,
        run: () => ["a", "b"].map((doc) => Doc({ doc, chunks: [] }))
      })
      const turn = defineStep({
        accepts: Doc,
        emits: Page,
        run: ({ doc }) => after(5, doc === "a" ? [] : Page({ page: doc }))
      })
      const pages = defineStep({
        accepts: gather(Page, { per: Doc }),
        emits: Read,
        run: (pages) =>
          after(
            5,
            pages.map((page) => Read(page))
          )
      })
      const perDoc = defineStep({
        accepts: gather(Read, { per: Doc }),
        emits: DocRead,
        run: (reads, { per }) => DocRead({ text: `${per.doc}${reads.length}` })
      })
      const whole = defineStep({ accepts: gather(DocRead), emits: Stop, run: (docs) => Stop({ text: words(docs) }) })
      expect((yield* result(run(workflow({ ...define, steps: { whole, perDoc, pages, turn, begin } })))).text).toBe(
        "a0 b1"
      )
    })
  )

  it.effect("keeps documents apart that are pulled as there is room", () =>
    Effect.gen(function* () {
      const pages = 3000
      const begin = defineStep({
        accepts: Start,
        emits: Doc,
        run: () => ["a", "b", "c"].map((doc) => Doc({ doc, chunks: [] }))
      })
      const turn = defineStep({
        accepts: Doc,
        emits: Page,
        run: function* ({ doc }) {
          for (let n = 0; n < pages; n++) yield Page({ page: `${doc}${n}` })
        }
      })
      const read = defineStep({ accepts: Page, emits: Read, workers: 2, run: ({ page }) => Read({ page }) })
      const perDoc = defineStep({
        accepts: gather(Read, { per: Doc }),
        emits: DocRead,
        run: (reads, { per }) => {
          const inOrder = reads.every(({ page }, n) => page === `${per.doc}${n}`)
          return DocRead({ text: `${per.doc}${reads.length}${inOrder ? "" : "?"}` })
        }
      })
      const whole = defineStep({ accepts: gather(DocRead), emits: Stop, run: (docs) => Stop({ text: words(docs) }) })
      const { text } = yield* result(run(workflow({ ...define, steps: { begin, turn, read, perDoc, whole } })))
      expect(text).toBe("a3000 b3000 c3000")
    })
  )

  it.effect("runs once for each turn of a loop whose turns follow from one another", () =>
    Effect.gen(function* () {
      const Turn = defineEvent("Turn", { n: Schema.Number })
      const Call = defineEvent("Call", { name: Schema.String })
      const seen: Array<string> = []
      const begin = defineStep({ accepts: Start, emits: Turn, run: () => Turn({ n: 1 }) })
      const think = defineStep({
        accepts: Turn,
        emits: Call,
        run: ({ n }) => ["x", "y"].map((name) => Call({ name: `${name}${n}` }))
      })
      const tool = defineStep({
        accepts: Call,
        emits: Read,
        run: ({ name }) => after(name.startsWith("x") ? 9 : 3, Read({ page: name }))
      })
      const next = defineStep({
        accepts: gather(Read, { per: Turn }),
        emits: [Turn, DocRead],
        run: (reads, { per }) => {
          seen.push(`${per.n}:${reads.map(({ page }) => page)}`)
          if (seen.length > 10) throw new Error(`it does not end: ${seen.join(" ")}`)
          return per.n < 3 ? Turn({ n: per.n + 1 }) : DocRead({ text: `after ${per.n}` })
        }
      })
      const end = defineStep({ accepts: gather(DocRead), emits: Stop, run: (docs) => Stop({ text: words(docs) }) })
      expect((yield* result(run(workflow({ ...define, steps: { begin, think, tool, next, end } })))).text).toBe(
        "after 3"
      )
      expect(seen).toEqual(["1:x1,y1", "2:x2,y2", "3:x3,y3"])
    })
  )

  it.effect("holds ten thousand scopes at once", () =>
    Effect.gen(function* () {
      const count = 10_000
      const begin = defineStep({
        accepts: Start,
        emits: Doc,
        run: () => Array.from({ length: count }, (_, n) => Doc({ doc: `${n}`, chunks: [] }))
      })
      const turn = defineStep({
        accepts: Doc,
        emits: Page,
        workers: "unbounded",
        run: async ({ doc }) => [Page({ page: `${doc}a` }), Page({ page: `${doc}b` })]
      })
      const perDoc = defineStep({
        accepts: gather(Page, { per: Doc }),
        emits: DocRead,
        run: (pages, { per }) => {
          expect(pages.map(({ page }) => page)).toEqual([`${per.doc}a`, `${per.doc}b`])
          return DocRead({ text: per.doc })
        }
      })
      const whole = defineStep({ accepts: gather(DocRead), emits: Stop, run: (docs) => Stop({ text: words(docs) }) })
      const { text } = yield* result(run(workflow({ ...define, steps: { begin, turn, perDoc, whole } })))
      expect(text).toBe(Array.from({ length: count }, (_, n) => n).join(" "))
    })
  )
})

describe("ctx.per", () => {
  it.effect("is undefined without a per", () =>
    Effect.gen(function* () {
      const finish = defineStep({ accepts: gather(Start), emits: Stop, run: (_, { per }) => Stop({ text: `${per}` }) })
      expect((yield* result(run(workflow({ ...define, steps: { finish } })))).text).toBe("undefined")
    })
  )

  it.effect("is the opener, of join, race and gather, the start event included", () =>
    Effect.gen(function* () {
      const Begin = defineEvent("Begin", { id: Schema.String })
      const seen: Array<unknown> = []
      const begin = defineStep({
        accepts: Begin,
        emits: Doc,
        run: () => ["a", "b"].map((doc) => Doc({ doc, chunks: [] }))
      })
      const turn = defineStep({
        accepts: Doc,
        emits: Page,
        run: ({ doc }) => after(doc === "a" ? 9 : 3, Page({ page: doc }))
      })
      const read = defineStep({
        accepts: Doc,
        emits: Read,
        run: ({ doc }) => after(doc === "a" ? 1 : 7, Read({ page: doc }))
      })
      const both = defineStep({
        accepts: join([Read, Page], { per: Doc }),
        emits: ChunkRead,
        run: ([read, page], { per }) => {
          seen.push(["join", per.doc, read.page, page.page])
          return ChunkRead({ text: per.doc })
        }
      })
      const first = defineStep({
        accepts: race(ChunkRead, { per: Doc }),
        emits: DocRead,
        run: ({ text }, { per }) => {
          seen.push(["race", per.doc, text])
          return DocRead({ text })
        }
      })
      const all = defineStep({
        accepts: gather(DocRead, { per: Begin }),
        emits: Stop,
        run: (docs, { per }) => Stop({ text: `${per.id}: ${words(docs)}` })
      })
      const flow = workflow({ ...define, start: Begin, steps: { begin, turn, read, both, first, all } })
      expect((yield* result(run(flow, { id: "run" }))).text).toBe("run: a b")
      expect(seen).toEqual([
        ["join", "b", "b", "b"],
        ["race", "b", "b"],
        ["join", "a", "a", "a"],
        ["race", "a", "a"]
      ])
    })
  )

  it.effect("is the same in a recovery", () =>
    Effect.gen(function* () {
      const begin = defineStep({ accepts: Start, emits: Doc, run: () => Doc({ doc: "a", chunks: [] }) })
      const turn = defineStep({ accepts: Doc, emits: Page, run: () => Page({ page: "1" }) })
      const finish = defineStep({
        accepts: gather(Page, { per: Doc }),
        emits: Stop,
        run: () => Effect.fail("no"),
        recover: (error, pages, { per }) => Stop({ text: `${error} ${pages.length} ${per.doc}` })
      })
      expect((yield* result(run(workflow({ ...define, steps: { begin, turn, finish } })))).text).toBe("no 1 a")
    })
  )
})

describe("a join of events from different scopes", () => {
  const begin = defineStep({
    accepts: Start,
    emits: Doc,
    run: () => ["a", "b"].map((doc) => Doc({ doc, chunks: [1, 2] }))
  })
  const split = defineStep({
    accepts: Doc,
    emits: Chunk,
    run: ({ doc, chunks }) => chunks.map((n) => Chunk({ chunk: `${doc}${n}`, pages: n }))
  })
  const turn = defineStep({
    accepts: Chunk,
    emits: [Page, Read],
    run: ({ chunk, pages }) => (pages === 1 ? Page({ page: chunk }) : Read({ page: chunk }))
  })

  // One page is of chunk 1, the other of chunk 2: they share the document.
  const both = defineStep({
    accepts: join([Page, Read], { by: ({ page }) => page[0] }),
    emits: ChunkRead,
    run: ([page, read]) => ChunkRead({ text: `${page.page}+${read.page}` })
  })

  it.effect("runs in the deepest scope that they share", () =>
    Effect.gen(function* () {
      const perDoc = defineStep({
        accepts: gather(ChunkRead, { per: Doc }),
        emits: DocRead,
        run: (chunks, { per }) => DocRead({ text: `${per.doc}(${words(chunks)})` })
      })
      const whole = defineStep({ accepts: gather(DocRead), emits: Stop, run: (docs) => Stop({ text: words(docs) }) })
      // There is a per: Chunk too, so that chunks have scopes of their own.
      const perChunk = defineStep({ accepts: gather(Page, { per: Chunk }), emits: [], run: () => {} })
      const flow = workflow({ ...define, steps: { begin, split, turn, both, perDoc, whole, perChunk } })
      expect((yield* result(run(flow))).text).toBe("a(a1+a2) b(b1+b2)")
    })
  )

  it.effect("runs there where no step gathers, and nobody looks on", () =>
    Effect.gen(function* () {
      const perDoc = defineStep({
        accepts: collect(ChunkRead, 1, { per: Doc }),
        emits: DocRead,
        run: ([chunk], { per }) => DocRead({ text: `${per.doc}(${chunk!.text})` })
      })
      const whole = defineStep({
        accepts: collect(DocRead, 2),
        emits: Stop,
        run: (docs) => Stop({ text: words(docs) })
      })
      const flow = workflow({ ...define, steps: { begin, split, turn, both, perDoc, whole } })
      expect((yield* result(run(flow))).text).toBe("a(a1+a2) b(b1+b2)")
    })
  )

  it.effect("is outside of every document when the documents differ", () =>
    Effect.gen(function* () {
      const both = defineStep({
        accepts: join([Page, Page]),
        emits: ChunkRead,
        run: ([left, right]) => ChunkRead({ text: `${left.page}+${right.page}` })
      })
      const ignore = defineStep({ accepts: Read, emits: [], run: () => {} })
      const perDoc = defineStep({
        accepts: gather(ChunkRead, { per: Doc }),
        emits: Stop,
        run: (chunks) => (chunks.length > 0 ? Stop({ text: words(chunks) }) : undefined)
      })
      const flow = workflow({ ...define, steps: { begin, split, turn, both, ignore, perDoc } })
      const error = yield* defect(run(flow))
      expect(error).toMatchObject({ _tag: "StepDefect", step: "both" })
      expect((error as Error).message).toContain(
        `it emitted ChunkRead {"text":"a1+b1"} to step 'perDoc', which keeps one intake for each 'Doc'`
      )
    })
  )
})

describe("an event from outside the scope of an intake's per", () => {
  // Reached from the start and from a document, so that the graph does not show which it will be.
  const begin = defineStep({ accepts: Start, emits: [Doc, Note], run: () => [Doc({ doc: "a", chunks: [] }), Note()] })
  const turn = defineStep({ accepts: [Doc, Note], emits: Page, run: ({ _tag }) => Page({ page: `of a ${_tag}` }) })
  const perDoc = defineStep({
    accepts: gather(Page, { per: Doc }),
    emits: Stop,
    run: (pages) => after(10, Stop({ text: pages.map(({ page }) => page).join() }))
  })

  it.effect("is a defect that names the step that emitted it and the intake", () =>
    Effect.gen(function* () {
      const error = yield* defect(run(workflow({ ...define, steps: { begin, turn, perDoc } })))
      expect(error).toMatchObject({ _tag: "StepDefect", step: "turn", input: { _tag: "Note" } })
      expect(error).toMatchObject({ cause: { _tag: "OutsideScope", intake: "perDoc", per: "Doc" } })
      const { message } = error as Error
      expect(message).toContain("step 'turn' of workflow 'documents' failed, given Note")
      expect(message).toContain(
        `it emitted Page {"page":"of a Note"} to step 'perDoc', which keeps one intake for each 'Doc', ` +
          `but no 'Doc' led to this event`
      )
    })
  )

  it.effect("is a defect even where the step that sent it swallows what send throws", () =>
    Effect.gen(function* () {
      const swallow = defineStep({
        accepts: [Doc, Note],
        emits: Page,
        run: ({ _tag }, ctx) => {
          try {
            ctx.send(Page({ page: _tag }))
          } catch {}
        }
      })
      const error = yield* defect(run(workflow({ ...define, steps: { begin, swallow, perDoc } })))
      expect(error).toMatchObject({ _tag: "StepDefect", step: "swallow", cause: { intake: "perDoc" } })
    })
  )
})
