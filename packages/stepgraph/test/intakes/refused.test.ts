// Problems of intakes are reported before anything runs: by the compiler, and by `workflow()` for what types cannot
// express.
import { beforeAll, describe, expect, it } from "@effect/vitest"
import { compile, type Problem } from "@stepgraph/conformance/support/compile"
import { Effect, Schema } from "effect"
import { collect, defineEvent, defineStep, gather, InvalidWorkflow, join, race, run, workflow } from "stepgraph"
import { untyped } from "../support/flow.ts"
import { result } from "../support/virtual.ts"

describe("the compiler", () => {
  const program = `
    import { Schema } from "effect"
    import { collect, defineEvent, defineStep, gather, join, race, workflow } from "stepgraph"
    const Start = defineEvent("Start")
    const Doc = defineEvent("Doc", { id: Schema.String })
    const A = defineEvent("A", { n: Schema.Number })
    const B = defineEvent("B", { n: Schema.Number })
    const Lost = defineEvent("Lost")
    const Stop = defineEvent("Stop", { n: Schema.Number })
    const begin = defineStep({ accepts: Start, emits: [Doc, A], run: () => A({ n: 1 }) })
    const both = defineStep({ accepts: Doc, emits: [A, B], run: () => A({ n: 1 }) })
    const to = <const T extends string>(tag: T) => tag
    const emits = Stop
    const define = { name: "w", start: Start, stop: Stop } as const

    workflow({ ...define, steps: { begin, both, finish: defineStep({ accepts: join([A, Lost]), emits, run: () => {} }), b: defineStep({ accepts: B, emits, run: () => {} }) } }) // «error» step 'finish' accepts 'Lost', but no step emits it
    workflow({ ...define, steps: { begin, both, finish: defineStep({ accepts: collect([A, B, Lost], 2), emits, run: () => {} }) } }) // «error» step 'finish' accepts 'Lost', but no step emits it
    workflow({ ...define, steps: { begin, both, finish: defineStep({ accepts: gather([Lost, A, B]), emits, run: () => {} }) } }) // «error» step 'finish' accepts 'Lost', but no step emits it
    workflow({ ...define, steps: { begin, both, finish: defineStep({ accepts: race([A, B, Lost]), emits, run: () => {} }) } }) // «error» step 'finish' accepts 'Lost', but no step emits it
    workflow({ ...define, steps: { begin, both, finish: defineStep({ accepts: gather([A, B], { per: Lost }), emits, run: () => {} }) } }) // «error» step 'finish' keeps one intake per 'Lost', but no step emits it
    workflow({ ...define, steps: { begin, both, finish: defineStep({ accepts: gather(A), emits, run: () => {} }) } }) // «error» step 'both' emits 'B', but no step accepts it
    collect(A, "3") // «error» 'string' is not assignable to parameter of type 'number'
    race(A, { take: "3" }) // «error» 'string' is not assignable to type 'number'
    collect(A) // «error» Expected 2-3 arguments
    gather(A, { by: ({ n }: { n: number }) => n }) // «error» 'by' does not exist
    gather(A, { within: 10 }) // «error» 'within' does not exist
    race(A, { within: 10 }) // «error» 'within' does not exist
    join([A, B], { by: ({ m }) => m }) // «error» Property 'm' does not exist
    join([A, B], { per: "Doc" }) // «error» not assignable
    defineStep({ accepts: join([A, B], { within: 10 }), emits, run: ([a, b]) => Stop({ n: a.n + (b?.n ?? 0) }) }) // «error» 'a' is possibly 'undefined'
    defineStep({ accepts: join([A, B]), emits, run: ([a, b, c]) => Stop({ n: a.n + b.n }) }) // «error» has no element at index '2'
    defineStep({ accepts: collect(A, 2), emits, run: ([a]) => Stop({ n: a.n }) }) // «error» 'a' is possibly 'undefined'
    defineStep({ accepts: race(A, { take: 1 }), emits, run: (a) => Stop({ n: a.n }) }) // «error» Property 'n' does not exist
    defineStep({ accepts: race([A, Doc]), emits, run: (a) => Stop({ n: a.n }) }) // «error» Property 'n' does not exist
    defineStep({ accepts: gather(A), emits, run: (_, { per }) => Stop({ n: per.id.length }) }) // «error» 'per' is possibly 'undefined'
    defineStep({ accepts: gather(A, { per: Doc }), emits, run: (_, { per }) => Stop({ n: per.n }) }) // «error» Property 'n' does not exist
    workflow({ ...define, steps: { begin, both, finish: defineStep({ accepts: gather([A, B], { per: Doc }), emits, run: (_, { per }) => Stop({ n: per.id.length }) }) } })
    workflow({ ...define, steps: { begin, both, finish: defineStep({ accepts: join([A, B, A]), emits, run: ([a, b, c]) => Stop({ n: a.n + b.n + c.n }) }) } })
  `
  const marks = program.split("\n").flatMap((line, index) => {
    const words = /\/\/ «error» (.+)$/.exec(line)?.[1]
    return words === undefined ? [] : [{ line: index + 1, code: line.trim().slice(0, 90), words }]
  })
  let problems: ReadonlyArray<Problem> = []
  beforeAll(() => {
    problems = compile({ "packages/stepgraph/types/intakes.ts": program }).problems
  }, 240_000)

  it.each(marks)("says “$words” of $code…", ({ line, words }) => {
    const said = problems.filter((problem) => problem.line === line).map(({ message }) => message)
    expect(said.join("\n")).toContain(words)
  })

  it("accepts valid intakes", () => {
    const marked = new Set(marks.map(({ line }) => line))
    expect(problems.filter(({ line }) => !marked.has(line))).toEqual([])
  })
})

const Start = defineEvent("Start")
const Doc = defineEvent("Doc", { id: Schema.String })
const A = defineEvent("A", { n: Schema.Number })
const B = defineEvent("B", { n: Schema.Number })
const Stop = defineEvent("Stop")
const define = { name: "flawed", start: Start, stop: Stop }
const begin = defineStep({ accepts: Start, emits: Doc, run: () => Doc({ id: "a" }) })
const split = defineStep({ accepts: Doc, emits: A, run: () => A({ n: 1 }) })

const problemsOf = (definition: unknown): ReadonlyArray<string> => {
  try {
    untyped.workflow(definition)
  } catch (error) {
    if (error instanceof InvalidWorkflow) return error.problems
    throw error
  }
  return []
}
/** The problems of a workflow whose last step has an intake, for a caller without types. */
const problemsWith = (accepts: unknown, more = {}) =>
  problemsOf({
    ...define,
    steps: { begin, split, ...more, finish: untyped.step({ accepts, emits: Stop, run: () => Stop() }) }
  })

describe("workflow()", () => {
  const wrong = [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, "3", null, 2 ** 53, 3n]

  it.each(wrong)("refuses to collect %s", (count) => {
    const [problem, ...others] = problemsWith(collect(A, count as number))
    expect(problem).toMatch(/^step 'finish' collects .+ events: give a positive whole number$/)
    expect(others).toEqual([])
  })

  it.each(wrong)("refuses a race that takes %s", (take) => {
    const [problem, ...others] = problemsWith(race(A, { take: take as number }))
    expect(problem).toMatch(/^step 'finish' has a race that takes .+: give `take` a positive whole number$/)
    expect(others).toEqual([])
  })

  it("refuses a count that is missing", () => {
    expect(problemsWith((collect as unknown as (def: unknown) => unknown)(A))).toEqual([
      "step 'finish' collects undefined events: give a positive whole number"
    ])
  })

  it.each([-1, Number.NaN, "soon", {}])("refuses to wait within %s", (within) => {
    const [problem, ...others] = problemsWith(join([A, Doc], { within: within as number }))
    expect(problem).toMatch(/^step 'finish' waits within .+, which is not a duration/)
    expect(others).toEqual([])
  })

  it("refuses a `by` that is not a function", () => {
    expect(problemsWith(join([A, Doc], { by: "n" as never }))).toEqual([
      "step 'finish' has a `by` that is not a function: write (event) => event.id"
    ])
  })

  it("refuses an intake of nothing", () => {
    for (const intake of [join([]), collect([], 1), gather([]), race([])]) {
      const problems = problemsWith(intake, { a: defineStep({ accepts: A, emits: [], run: () => {} }) })
      expect(problems).toContain("step 'finish' accepts nothing, so it would never run: name an event in `accepts`")
    }
  })

  it.each([
    ["gather", "by", gather],
    ["gather", "within", gather],
    ["race", "by", race],
    ["race", "within", race]
  ] as const)("refuses a %s with `%s`, which it could not keep to", (kind, option, make) => {
    const options = { [option]: option === "by" ? () => 1 : 10 }
    const problems = problemsWith((make as unknown as (def: unknown, options: unknown) => unknown)(A, options))
    expect(problems).toHaveLength(1)
    expect(problems[0]).toContain("'finish'")
    expect(problems[0]).toContain(kind)
    expect(problems[0]).toContain(option)
  })

  it("refuses a `per` that is not an event", () => {
    expect(problemsWith(gather(A, { per: "Doc" as never }))).toEqual([
      "step 'finish' has a `per` that is not an event: use what defineEvent returned"
    ])
  })

  it("refuses a `per` that no step emits", () => {
    expect(problemsWith(gather(A, { per: B }))).toContain(
      "step 'finish' keeps one intake per 'B', but no step emits it and it is neither the start nor an input event"
    )
  })

  it("refuses a `per` that is emitted, but not upstream of the intake", () => {
    const aside = defineStep({ accepts: Doc, emits: B, run: () => B({ n: 1 }) })
    const sink = defineStep({ accepts: B, emits: [], run: () => {} })
    const problems = problemsWith(gather(A, { per: B }), { aside, sink })
    expect(problems).toHaveLength(1)
    expect(problems[0]).toMatch(/^step 'finish' keeps one intake per 'B', but 'A' never descends from 'B'/)
  })

  it("refuses a `per` that comes after the intake only", () => {
    const again = defineStep({ accepts: gather(A, { per: B }), emits: [B, Stop], run: () => B({ n: 1 }) })
    const sink = defineStep({ accepts: B, emits: [], run: () => {} })
    const problems = problemsOf({ ...define, steps: { begin, split, again, sink } })
    expect(problems).toHaveLength(1)
    expect(problems[0]).toContain("'A' never descends from 'B'")
  })

  it("refuses a join of which one event is never in the scope of its `per`", () => {
    const aside = defineStep({ accepts: Start, emits: B, run: () => B({ n: 1 }) })
    const problems = problemsWith(join([A, B], { per: Doc }), { aside })
    expect(problems).toHaveLength(1)
    expect(problems[0]).toMatch(/^step 'finish' keeps one intake per 'Doc', but 'B' never descends from 'Doc'/)
  })

  it("refuses a step that emits to an intake and can never be inside of its `per`", () => {
    const aside = defineStep({ accepts: Start, emits: A, run: () => A({ n: 1 }) })
    const problems = problemsWith(gather(A, { per: Doc }), { aside })
    expect(problems).toHaveLength(1)
    expect(problems[0]).toContain("'aside'")
    expect(problems[0]).toContain("per 'Doc'")
  })

  it("refuses an intake per something for the start event, and for an input event", () => {
    const restart = defineStep({ accepts: Doc, emits: Start, run: () => Start() })
    const perDoc = defineStep({ accepts: gather(Start, { per: Doc }), emits: Stop, run: () => Stop() })
    const [ofStart, ...others] = problemsOf({ ...define, steps: { begin, restart, perDoc } })
    expect(ofStart).toContain("the start event 'Start' comes from outside every 'Doc'")
    expect(others).toEqual([])
    const [ofInput, ...more] = problemsOf({
      ...define,
      inputs: [A],
      steps: { begin, split, perDoc: defineStep({ accepts: gather(A, { per: Doc }), emits: Stop, run: () => Stop() }) }
    })
    expect(ofInput).toContain("the input event 'A' comes from outside every 'Doc'")
    expect(more).toEqual([])
  })

  it("refuses an intake whose events can never come", () => {
    const circle = defineStep({ accepts: join([B, A]), emits: B, run: () => B({ n: 1 }) })
    const problems = problemsWith(gather([A, B]), { circle })
    expect(problems).toHaveLength(1)
    expect(problems[0]).toContain("no event can reach step 'circle': 'B' can never come")
  })

  it("takes a `per` that is the start event, an input event, the intake's own event, or several scopes up", () => {
    const Chunk = defineEvent("Chunk")
    const chunks = defineStep({ accepts: A, emits: Chunk, run: () => Chunk() })
    for (const accepts of [
      gather(A, { per: Start }),
      gather([Doc, A], { per: Doc }),
      gather(Doc, { per: Doc }),
      join([A, A], { per: Doc })
    ]) {
      expect(problemsWith(accepts, { a: defineStep({ accepts: A, emits: [], run: () => {} }) })).toEqual([])
    }
    for (const per of [Start, Doc, A, Chunk]) expect(problemsWith(gather(Chunk, { per }), { chunks })).toEqual([])
    const perInput = defineStep({ accepts: gather(A, { per: B }), emits: Stop, run: () => Stop() })
    const answer = defineStep({ accepts: B, emits: A, run: () => A({ n: 1 }) })
    const sink = defineStep({ accepts: Start, emits: [], run: () => {} })
    expect(problemsOf({ ...define, inputs: [B], steps: { sink, answer, perInput } })).toEqual([])
  })

  it.effect("treats an undefined `take` as left out", () =>
    Effect.gen(function* () {
      const first = untyped.step({ accepts: race(A, { take: undefined as never }), emits: Stop, run: () => Stop() })
      const flow = workflow({ ...define, steps: { begin, split, first: first as typeof finish } })
      expect(yield* result(run(flow))).toEqual(Stop())
    })
  )
})
const finish = defineStep({ accepts: race(A), emits: Stop, run: () => Stop() })
