// An option that does not exist is refused, with the name that was probably meant: it would be ignored otherwise.
import { Cause, Effect, Exit, Schedule, Schema } from "effect"
import {
  collect,
  defineEvent,
  defineState,
  defineStep,
  gather,
  InvalidWorkflow,
  join,
  launch,
  launchPromise,
  race,
  run,
  runPromise,
  workflow
} from "stepgraph"
import { nearest } from "stepgraph/internal"
import { describe, expect, it } from "vitest"

type Untyped = (...given: ReadonlyArray<any>) => any

const Start = defineEvent("Start")
const Optional = defineEvent("Optional", { signal: Schema.optionalKey(Schema.String) })
const Needed = defineEvent("Needed", { n: Schema.Number })
const A = defineEvent("A")
const Stop = defineEvent("Stop")
const begin = { accepts: Start, emits: A, run: () => A() }
const end = { accepts: A, emits: Stop, run: () => Stop() }
const step = defineStep as Untyped
const steps = { begin: step(begin), end: step(end) }
const good = { name: "flow", start: Start, stop: Stop, steps }
const flow = (workflow as Untyped)(good)
const startingWith = (start: typeof Optional | typeof Needed) =>
  (workflow as Untyped)({ ...good, start, steps: { ...steps, begin: step({ ...begin, accepts: start }) } })

const problemsOf = (definition: unknown): ReadonlyArray<string> => {
  try {
    ;(workflow as Untyped)(definition)
    return []
  } catch (error) {
    if (error instanceof InvalidWorkflow) return error.problems
    throw error
  }
}
const withSteps = (more: object) => problemsOf({ ...good, steps: { ...steps, ...more } })
/** The errors of `runPromise` and `run` for the same arguments. */
const saidBy = async (door: "run" | "runPromise" | "launch" | "launchPromise", ...given: ReadonlyArray<unknown>) => {
  const started = ({ run, runPromise, launch, launchPromise } as Record<string, Untyped>)[door]!(...given)
  if (!Effect.isEffect(started))
    return started.then(
      () => undefined,
      (error: Error) => `${error.name}: ${error.message}`
    )
  const exit = await Effect.runPromiseExit(Effect.scoped(started as Effect.Effect<unknown, unknown, never>))
  if (Exit.isSuccess(exit)) return undefined
  // Not a typed error: the program is wrong, not its input.
  expect(Cause.hasDies(exit.cause) || String(Cause.squash(exit.cause)).includes("InvalidEvent")).toBe(true)
  const error = Cause.squash(exit.cause) as Error
  return `${error.name}: ${error.message}`
}

describe("workflow() lists options that do not exist", () => {
  it("of a step, however it was made", () => {
    expect(withSteps({ end: step({ ...end, worker: 8, retries: 3 }) })).toEqual([
      "step 'end': there is no option 'worker': did you mean 'workers'?",
      "step 'end': there is no option 'retries': did you mean 'retry'?"
    ])
    expect(withSteps({ end: { ...steps.end, timeOut: "1 second" } })).toEqual([
      "step 'end': there is no option 'timeOut': did you mean 'timeout'?"
    ])
    expect(withSteps({ end: step({ ...end, description: "ends it" }) })).toEqual([
      "step 'end': there is no option 'description': the options are 'accepts', 'emits', 'stream', 'asks', 'workers', 'buffer', 'timeout', 'grace', 'limit', 'retry', " +
        "'run', 'recover'"
    ])
  })

  it("of its own", () => {
    expect(problemsOf({ ...good, timout: "1 second", output: [A] })).toEqual([
      "there is no option 'timout': did you mean 'timeout'?",
      "there is no option 'output': did you mean 'outputs'?"
    ])
    expect(problemsOf({ ...good, description: "ends" })).toEqual([
      "there is no option 'description': the options are 'name', 'start', 'stop', 'inputs', 'outputs', 'timeout', 'grace', 'steps'"
    ])
  })

  it.each([
    [
      "join",
      (join as Untyped)([A], { form: 1 }),
      "step 'end', join: there is no option 'form': the options are 'per', 'by', 'within'"
    ],
    [
      "collect",
      (collect as Untyped)(A, 1, { withn: 1 }),
      "step 'end', collect: there is no option 'withn': did you mean 'within'?"
    ],
    [
      "gather",
      (gather as Untyped)(A, { pre: Start }),
      "step 'end', gather: there is no option 'pre': the only option is 'per'"
    ],
    ["race", (race as Untyped)(A, { takes: 2 }), "step 'end', race: there is no option 'takes': did you mean 'take'?"],
    ["race with a number", (race as Untyped)(A, 2), "step 'end', race: the options must be an object, not a number"]
  ])("of a %s", (_, accepts, problem) => {
    expect(withSteps({ end: step({ ...end, accepts }) })).toEqual([problem])
  })

  it("of a retry, which would have no end otherwise", () => {
    expect(withSteps({ end: step({ ...end, retry: { time: 3, attempts: 3 } }) })).toEqual([
      "step 'end', retry: there is no option 'time': did you mean 'times'?",
      "step 'end', retry: there is no option 'attempts': the options are 'times', 'schedule', 'while', 'until', " +
        "'delay', 'factor', 'max', 'jitter'"
    ])
    const retry = { times: 1, schedule: Schedule.recurs(1), while: () => true, until: undefined, delay: undefined }
    expect(withSteps({ end: step({ ...end, retry }) })).toEqual([])
  })

  it("but none that is undefined, no symbol, and nothing that comes of spreading", async () => {
    const symbol = Symbol("mine")
    const spread = { ...flow, [symbol]: 1, timout: undefined, timeout: undefined, inputs: undefined }
    const wider = (workflow as Untyped)({
      ...spread,
      steps: { ...flow.steps, end: { ...steps.end, workers: 8, worker: undefined, [symbol]: 2 } }
    })
    expect((workflow as Untyped)({ ...wider }).name).toBe("flow")
    expect(await runPromise(wider as typeof flow)).toEqual(Stop())
  })
})

describe("definitions of events and cells", () => {
  it.each([["frozen"], [null], [["frozen"]], [() => ({})]])("take annotations as an object, not %j", (given) => {
    expect(() => (defineEvent as Untyped)("A", {}, given)).toThrow(
      /^defineEvent: event 'A' takes the annotations of its schema as an object, such as \{ description: "…" \}, not /
    )
    expect(() => (defineState as Untyped)("n", Schema.Number, 0, given)).toThrow(
      /^defineState: cell 'n' takes the annotations of its schema as an object, such as \{ description: "…" \}, not /
    )
  })
})

describe("each way to start a run", () => {
  it.each([
    ["run", { stat: [] }, "did you mean 'state'?"],
    ["run", { signal: AbortSignal.abort() }, "the only option is 'state'"],
    ["launch", { keeps: 3 }, "did you mean 'keep'?"],
    ["runPromise", { sginal: 3 }, "did you mean 'signal'?"],
    ["runPromise", { observer: () => {} }, "did you mean 'observe'?"],
    ["launchPromise", { concurrency: 3 }, "the options are 'state', 'signal', 'observe', 'keep'"]
  ] as const)("%s refuses %j", async (door, options, instead) => {
    const [name] = Object.keys(options)
    expect(await saidBy(door, flow, {}, options)).toBe(`TypeError: ${door}: there is no option '${name}': ${instead}`)
  })

  it.each(["run", "runPromise", "launch", "launchPromise"] as const)("%s says where options go", async (door) => {
    const { signal } = new AbortController()
    const said = `TypeError: ${door}: the input comes first: ${door}(flow, {}, { signal })`
    expect(await saidBy(door, flow, { signal })).toBe(said)
    expect(await saidBy(door, flow, { state: [], observe: () => {} })).toContain(
      `${door}(flow, {}, { state, observe })`
    )
    // One that the start event has for a field is its own, and one that misses a field is refused as that.
    expect(await saidBy(door, startingWith(Optional), { signal: "x" })).toBeUndefined()
    expect(await saidBy(door, startingWith(Needed), { signal })).toContain("InvalidEvent")
  })

  it("wants options that are an object, and a signal that is one", async () => {
    expect(await saidBy("runPromise", flow, {}, 3)).toBe(
      "TypeError: runPromise: the options must be an object, not a number"
    )
    expect(await saidBy("launch", flow, {}, null)).toBe("TypeError: launch: the options must be an object, not null")
    expect(await saidBy("launchPromise", flow, {}, [])).toContain("not an array")
    expect(await saidBy("runPromise", flow, {}, { signal: new AbortController() })).toBe(
      "TypeError: runPromise: signal must be an AbortSignal, not an object"
    )
  })

  it("takes options that are undefined for none", async () => {
    const none = { state: undefined, signal: undefined, observe: undefined, keep: undefined, nothing: undefined }
    for (const door of ["run", "runPromise", "launch", "launchPromise"] as const) {
      expect(await saidBy(door, flow, undefined, none)).toBeUndefined()
      expect(await saidBy(door, flow, undefined, undefined)).toBeUndefined()
    }
  })
})

describe("the nearest name", () => {
  const names = ["workers", "retry", "recover", "run"]

  it.each([
    ["worker", "workers"],
    ["WORKERS", "workers"],
    ["retires", "retry"],
    ["recovre", "recover"],
    ["ru", "run"],
    ["concurrency", undefined],
    ["x", undefined],
    ["", undefined],
    ["worker".repeat(7), undefined]
  ])("to '%s' is %s", (name, near) => {
    expect(nearest(name, names)).toBe(near)
  })

  it("costs nothing to look for, however long the name is", () => {
    expect(withSteps({ end: step({ ...end, ["worker".repeat(100_000)]: 8 }) })[0]!.length).toBeLessThan(300)
  })
})
