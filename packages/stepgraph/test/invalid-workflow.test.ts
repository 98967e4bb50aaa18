// workflow() refuses a graph that cannot work, for callers without types as well: one error that lists every problem.
import { Effect, Schedule, Schema } from "effect"
import { collect, defineEvent, defineStep, gather, InvalidWorkflow, join, race, runPromise, workflow } from "stepgraph"
import { describe, expect, it } from "vitest"

const Start = defineEvent("Start")
const Doc = defineEvent("Doc", { n: Schema.Number })
const A = defineEvent("A")
const B = defineEvent("B")
const Stop = defineEvent("Stop")
const make = workflow as (definition: unknown) => { readonly name: string }
const step = defineStep as (definition: unknown) => object

const begin = step({ accepts: Start, emits: A, run: () => A() })
const finish = step({ accepts: A, emits: Stop, run: () => Stop() })
const good = { name: "flow", start: Start, stop: Stop, steps: { begin, finish } }

const problemsOf = (definition: unknown): ReadonlyArray<string> => {
  try {
    make(definition)
  } catch (error) {
    if (error instanceof InvalidWorkflow) return error.problems
    throw error
  }
  return []
}
const withSteps = (steps: object, more: object = {}) =>
  problemsOf({ ...good, ...more, steps: { ...good.steps, ...steps } })
/** The good flow with something of its last step changed. */
const finishing = (changed: object) => withSteps({ finish: { ...finish, ...changed } })

describe("workflow", () => {
  it("accepts a valid workflow", () => {
    expect(problemsOf(good)).toEqual([])
  })

  it("throws one error that lists every problem", () => {
    const broken = {
      ...good,
      name: "broken",
      timeout: "soon",
      steps: {
        begin: step({ accepts: Start, emits: [A, B], workers: 0, run: () => {} }),
        finish: step({ accepts: collect(Doc, -1), emits: Stop, run: () => {} })
      }
    }
    expect(() => make(broken)).toThrow(
      [
        "workflow 'broken' has 6 problems:",
        `  - the workflow's timeout is 'soon', which is not a duration: write "10 seconds" or a number of milliseconds`,
        `  - step 'begin' has 0 workers: give a positive whole number or "unbounded"`,
        "  - step 'finish' collects -1 events: give a positive whole number",
        "  - step 'begin' emits 'A', but no step accepts it and it is neither a stop nor an output event",
        "  - step 'begin' emits 'B', but no step accepts it and it is neither a stop nor an output event",
        "  - step 'finish' accepts 'Doc', but no step emits it and it is neither the start nor an input event"
      ].join("\n")
    )
  })

  it("reports a single problem", () => {
    expect(() => make({ ...good, name: "" })).toThrow(
      "workflow '' has a problem:\n  - the workflow has no name: give it one with `name`"
    )
  })

  it("checks a copy that did not come through it when that is run", async () => {
    const copy = { ...(make(good) as never as object), steps: { begin } }
    await expect(runPromise(copy as never)).rejects.toThrow("no step emits the stop event 'Stop'")
  })
})

describe("problems of the definition", () => {
  it.each([
    [undefined, "it is not an object: give workflow({ name, start, stop, steps })"],
    [{ ...good, name: 3 }, "the workflow has no name: give it one with `name`"],
    [{ ...good, start: "Start" }, "`start` is not an event: give it what defineEvent returned"],
    [
      { ...good, start: [Start, B] },
      "`start` is a list, but a run begins with one event: distinguish the cases by a field, or list the other events in `inputs`"
    ],
    [
      { ...good, stop: undefined },
      "`stop` is not an event: give it what defineEvent returned, or a list of such events"
    ],
    [{ ...good, stop: [] }, "there is no stop event: name one with `stop`"],
    [{ ...good, inputs: Start }, "`inputs` must be a list of events, as defineEvent returns them"],
    [{ ...good, outputs: ["A"] }, "`outputs` must be a list of events, as defineEvent returns them"],
    [{ ...good, steps: {} }, "there are no steps: give at least one in `steps`"],
    [{ ...good, steps: undefined }, "there are no steps: give at least one in `steps`"],
    [
      { ...good, grace: -1 },
      `the workflow's grace is -1, which is not a duration: write "2 seconds" or a number of milliseconds`
    ],
    [
      { ...good, timeout: -1 },
      `the workflow's timeout is -1, which is not a duration: write "10 seconds" or a number of milliseconds`
    ]
  ])("%#", (definition, problem) => {
    expect(problemsOf(definition)).toContain(problem)
  })
})

describe("problems of a step", () => {
  it.each([
    [{ x: 3 }, "step 'x' is not what defineStep returned: wrap it in defineStep({ accepts, emits, run })"],
    [{ x: { ...finish, run: undefined } }, "step 'x' has no `run`: give it a function"],
    [
      { x: { ...finish, run: Effect.gen(function* () {}) } },
      "step 'x' has an Effect as its `run`: give a function that returns it, () => …"
    ],
    [
      { x: { ...finish, accepts: "A" } },
      "step 'x' accepts 'A': give it an event, a list of events, or an intake such as join"
    ],
    [
      { x: { ...finish, accepts: ["A"] } },
      "step 'x' accepts something that is not an event: use what defineEvent returned"
    ],
    [{ x: { ...finish, accepts: [] } }, "step 'x' accepts nothing, so it would never run: name an event in `accepts`"],
    [
      { x: { ...finish, emits: "Stop" } },
      "step 'x' emits 'Stop': give it an event or a list of events, or [] if it emits none"
    ],
    [{ x: { ...finish, emits: [3] } }, "step 'x' emits something that is not an event: use what defineEvent returned"],
    [
      { x: { ...finish, recover: 3 } },
      "step 'x' has a `recover` that is not a function: write (error, event, ctx) => …"
    ],
    [{ x: { ...finish, retry: 3 } }, "step 'x' has the retry 3: write { times: 3 } or give a Schedule"],
    [
      { x: { ...finish, grace: Number.NaN } },
      `step 'x' has the grace NaN, which is not a duration: write "2 seconds" or a number of milliseconds`
    ],
    [
      { x: { ...finish, timeout: "soon" } },
      `step 'x' has the timeout 'soon', which is not a duration: write "1 second" or a number of milliseconds`
    ]
  ])("%#", (steps, problem) => {
    expect(withSteps(steps)).toContain(problem)
  })

  it.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, "3", "many", null, []])("%j workers", (workers) => {
    expect(finishing({ workers }).join()).toMatch(
      /^step 'finish' has .+ workers: give a positive whole number or "unbounded"$/
    )
  })

  it.each([1, 4, 1_000_000, "unbounded"])("not %j workers", (workers) => {
    expect(finishing({ workers })).toEqual([])
  })

  it.each([
    ["three", "'three'"],
    [() => 3, "[Function]"],
    [[3], "[3]"],
    [null, "null"]
  ])("the retry %j", (retry, shown) => {
    expect(finishing({ retry } as never)).toEqual([
      `step 'finish' has the retry ${shown}: write { times: 3 } or give a Schedule`
    ])
  })

  it("a value that an option of a retry cannot hold", () => {
    const retry = { times: "3", schedule: "1 second", while: true, until: 3 }
    expect(finishing({ retry } as never)).toEqual([
      "step 'finish' retries '3' times: give a number of at least 0",
      "step 'finish' retries by the schedule '1 second': give a Schedule, such as Schedule.spaced(\"1 second\")",
      "step 'finish' has the `while` true in its retry: write (error) => …",
      "step 'finish' has the `until` 3 in its retry: write (error) => …"
    ])
    for (const times of [-1, Number.NaN, 2n]) expect(finishing({ retry: { times } } as never)).toHaveLength(1)
    for (const times of [0, 1, Number.POSITIVE_INFINITY]) expect(finishing({ retry: { times } })).toEqual([])
  })

  it("nor a Schedule as its retry", () => {
    expect(finishing({ retry: Schedule.recurs(2) })).toEqual([])
  })
})

describe("problems of an intake", () => {
  it.each([0, -1, 1.5, Number.NaN, "3"])("a count of %j", (count) => {
    expect(finishing({ accepts: collect(A, count as number) }).join()).toMatch(
      /^step 'finish' collects .+ events: give a positive whole number$/
    )
    expect(finishing({ accepts: race(A, { take: count as number }) }).join()).toMatch(
      /^step 'finish' has a race that takes .+: give `take` a positive whole number$/
    )
  })

  it.each([
    [join([]), "step 'finish' accepts nothing, so it would never run: name an event in `accepts`"],
    [
      gather(A, { per: "Doc" as never }),
      "step 'finish' has a `per` that is not an event: use what defineEvent returned"
    ],
    [collect(A, 1, { by: "n" as never }), "step 'finish' has a `by` that is not a function: write (event) => event.id"],
    [
      collect(A, 1, { within: "soon" as never }),
      `step 'finish' waits within 'soon', which is not a duration: write "1 second" or a number of milliseconds`
    ],
    [
      gather(A, { per: Doc }),
      "step 'finish' keeps one intake per 'Doc', but no step emits it and it is neither the start nor an input event"
    ]
  ])("%#", (accepts, problem) => {
    expect(finishing({ accepts })).toContain(problem)
  })
})

describe("problems of the graph", () => {
  it("two definitions with one tag, reported once", () => {
    const again = step({ accepts: defineEvent("A"), emits: [], run: () => {} })
    expect(withSteps({ again, more: again })).toEqual([
      "two definitions of an event have the tag 'A': define it once, or rename one of them"
    ])
  })

  it("no step accepts the start event", () => {
    const steps = { finish: step({ accepts: A, emits: [A, Stop], run: () => {} }) }
    expect(problemsOf({ ...good, steps })).toContain("no step accepts the start event 'Start'")
  })

  it("no step emits the stop event", () => {
    expect(finishing({ emits: [] })).toContain("no step emits the stop event 'Stop'")
  })

  it("an input that no step accepts, an output that no step emits", () => {
    expect(withSteps({}, { inputs: [B], outputs: [Doc] })).toEqual([
      "no step accepts the input event 'B', or asks for it",
      "no step emits the output event 'Doc'"
    ])
  })

  it("a step that accepts a stop event", () => {
    expect(withSteps({ late: step({ accepts: Stop, emits: [], run: () => {} }) })).toEqual([
      "step 'late' accepts the stop event 'Stop', but a stop event ends the run: emit another event to it"
    ])
  })

  it("a step that no event can reach, and a stop event that only it emits", () => {
    const lost = step({ accepts: B, emits: [B, Doc], run: () => {} })
    const problems = withSteps({ lost }, { stop: [Stop, Doc] })
    expect(problems).toEqual([
      "no event can reach step 'lost': 'B' can never come, because nothing leads to it from 'Start'",
      "the stop event 'Doc' cannot be reached: the steps that emit it ('lost') can never run"
    ])
  })

  it("a join that waits for its own result", () => {
    const both = step({ accepts: join([A, B]), emits: [B, Stop], run: () => {} })
    expect(problemsOf({ ...good, steps: { begin, both } })).toEqual([
      "no event can reach step 'both': 'B' can never come, because nothing leads to it from 'Start'",
      "the stop event 'Stop' cannot be reached: the steps that emit it ('both') can never run"
    ])
  })

  it("a per that never leads to the intake's event", () => {
    const emitter = step({ accepts: Start, emits: Doc, run: () => {} })
    const reader = step({ accepts: Doc, emits: [], run: () => {} })
    expect(withSteps({ emitter, reader, finish: { ...finish, accepts: gather(A, { per: Doc }) } })).toEqual([
      "step 'finish' keeps one intake per 'Doc', but 'A' never descends from 'Doc': name an event in `per` that leads to 'A'"
    ])
  })

  it("an event that also comes from outside every per", () => {
    const emitter = step({ accepts: Start, emits: [Doc, A], run: () => {} })
    const reader = step({ accepts: Doc, emits: A, run: () => {} })
    const steps = { emitter, reader, finish: { ...finish, accepts: gather(A, { per: Doc }) } }
    expect(problemsOf({ ...good, steps })).toEqual([
      "step 'finish' keeps one intake per 'Doc', but 'A' also comes from 'emitter', which no 'Doc' leads to: " +
        "name an event in `per` that leads to 'A'"
    ])
  })

  it("an event that an input alone leads to, with no scope on the way", () => {
    const emitter = step({ accepts: Start, emits: Doc, run: () => {} })
    const cutter = step({ accepts: Doc, emits: B, run: () => {} })
    const reader = step({ accepts: B, emits: A, run: () => {} })
    const steps = { emitter, cutter, reader, finish: { ...finish, accepts: gather(A, { per: Doc }) } }
    expect(problemsOf({ ...good, steps })).toEqual([])
    expect(problemsOf({ ...good, inputs: [B], steps })).toEqual([
      "step 'finish' keeps one intake per 'Doc', but 'A' also follows from the input event 'B', from outside every 'Doc': " +
        "match it by a key ('by'), or let another event lead to it"
    ])
  })

  it("the start event, or an input, in an intake with another per", () => {
    const emitter = step({ accepts: [Start, B], emits: Doc, run: () => {} })
    const reader = step({ accepts: Doc, emits: [Start, A, B], run: () => {} })
    const accepts = gather([Start, A, B], { per: Doc })
    const steps = { emitter, reader, finish: { ...finish, accepts: accepts } }
    expect(problemsOf({ ...good, inputs: [B], steps })).toEqual([
      "step 'finish' keeps one intake per 'Doc', but the start event 'Start' comes from outside every 'Doc': accept another event there",
      "step 'finish' keeps one intake per 'Doc', but the input event 'B' comes from outside every 'Doc': match it by a key ('by'), or accept another event there"
    ])
  })
})

describe("names", () => {
  it.each(["__proto__", "constructor", "toString", "hasOwnProperty", "a b", "Ä'\"\n"])(
    "%j may be a step's and an event's",
    async (name) => {
      const Odd = defineEvent(name, { [name === "__proto__" ? "value" : name]: Schema.Number })
      const field = name === "__proto__" ? "value" : name
      const emitter = step({ accepts: Start, emits: Odd, run: () => (Odd as any)({ [field]: 3 }) })
      const reader = step({
        accepts: collect(Odd as never, 1),
        emits: Stop,
        run: ([odd]: any) => (odd[field] === 3 ? Stop() : [])
      })
      const flow = make({ ...good, steps: { [name]: emitter, reader } })
      expect(await runPromise(flow as never)).toEqual({ _tag: "Stop" })
      const stalling = make({
        ...good,
        steps: { [name]: emitter, reader: { ...(reader as object), accepts: collect(Odd as never, 2) } }
      })
      await expect(runPromise(stalling as never)).rejects.toThrow(`has 1 ${name}, needs 1 ${name}`)
    }
  )
})
