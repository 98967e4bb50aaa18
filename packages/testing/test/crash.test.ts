// A run that is cut anywhere and goes on in another process gives the same answer, or is said to give another.
import { type ExploreOptions, explorePromise, InvalidExploration, ScheduleFailure } from "@stepgraph/testing"
import { Context, Deferred, Effect, Layer, Queue, Schema } from "effect"
import {
  type AnyWorkflow,
  CurrentInvocation,
  collect,
  defineEvent,
  defineLimit,
  defineState,
  defineStep,
  gather,
  join,
  workflow
} from "stepgraph"
import { describe, expect, it } from "vitest"
import { twins } from "./crash-corpus.ts"

const exploring = (flow: AnyWorkflow, options: ExploreOptions<any>): Promise<any> =>
  explorePromise(flow, options).catch((error) => error)

describe("mistakes that only a crash shows", () => {
  it.for(twins)("$name", async ({ anew, breaks, make, options, twice }) => {
    const crash = (right: boolean) => (anew ? { process: () => make(right) } : true)
    const uncut = await exploring(make(false), { ...options, warn: false })
    expect(uncut).toMatchObject({ complete: true, cuts: 0, repeated: [] })

    const failure = await exploring(make(false), { ...options, crash: crash(false) })
    expect(failure).toBeInstanceOf(ScheduleFailure)
    expect(failure.invariant).toBe(breaks)
    expect(failure.repeated).toEqual(twice)
    expect(failure.message).toMatchSnapshot()

    // The line in the report replays the same failure.
    const again = await exploring(make(false), { ...options, crash: crash(false), replay: failure.schedule })
    const untilFound = (message: string) => message.replace(/(Found in|Replayed).*/s, "")
    expect(untilFound(again.message)).toBe(untilFound(failure.message))

    const right = await exploring(make(true), { ...options, crash: crash(true) })
    expect(right).toMatchObject({ complete: true, uncontrolled: [] })
    expect(right.cuts).toBeGreaterThan(1)
  })
})

const Start = defineEvent("Start")
const Item = defineEvent("Item", { n: Schema.Number })
const Done = defineEvent("Done", { n: Schema.Number })
const Stop = defineEvent("Stop", { value: Schema.Unknown })
const items = (...of: ReadonlyArray<number>) =>
  defineStep({ accepts: Start, emits: Item, run: () => of.map((n) => Item({ n })) })
const flowOf = (steps: AnyWorkflow["steps"], more: object = {}): AnyWorkflow =>
  workflow({ name: "crashes", start: Start, stop: Stop, ...more, steps } as any) as any

describe("a run that goes on in another process", () => {
  it("has the same ids, and all that the dead process had done", async () => {
    let keys: Array<string> = []
    const flow = flowOf({
      items: items(1, 2),
      work: defineStep({
        accepts: Item,
        emits: Done,
        run: ({ n }, { runId }) =>
          Effect.gen(function* () {
            const { invocation } = (yield* CurrentInvocation)!
            keys.push(`${runId}/${invocation}`)
            yield* Effect.sleep(n)
            return Done({ n })
          })
      }),
      end: defineStep({ accepts: gather(Done), emits: Stop, run: () => Stop({ value: new Set(keys).size }) })
    })
    const setup = () => {
      keys = []
    }
    let most = 0
    const check = { "calls are known again": () => void (most = Math.max(most, keys.length)) }
    const found = await explorePromise(flow, { crash: true, setup, check })
    expect(found.complete).toBe(true)
    expect(found.outcomes.map(({ outcome }) => outcome.text)).toEqual(['Stop {"value":2}'])
    expect(found.repeated).toEqual(["items", "work", "end"])
    expect(most).toBe(4)
  })

  it("leaves no finalizer to the dead process, and keeps the services of the layer", async () => {
    class Log extends Context.Service<Log, Array<string>>()("Log") {}
    let log: Array<string> = []
    const logs = new Set<string>()
    const work = Effect.gen(function* () {
      log = yield* Log
      log.push("begun")
      yield* Effect.onExit(Effect.sleep(10), () => Effect.sync(() => log.push("freed")))
      return Stop({ value: "done" })
    })
    const flow = flowOf({ work: defineStep({ accepts: Start, emits: Stop, run: () => work }) as any })
    const layer = Layer.sync(Log, () => [])
    const check = { look: () => void logs.add(log.join()) }
    const { complete, cuts } = await explorePromise(flow as any, { crash: true, layer, check })
    expect([complete, cuts]).toEqual([true, 3])
    expect([...logs]).toEqual(["begun,freed", "begun,begun,freed", "begun,freed,begun,freed"])
  })

  it("is served by a fiber of the layer, which outlives the process", async () => {
    type Asked = Deferred.Deferred<number>
    class Server extends Context.Service<Server, Queue.Queue<Asked>>()("Server") {}
    const layer = Layer.effect(
      Server,
      Effect.gen(function* () {
        const asked = yield* Queue.unbounded<Asked>()
        let answered = 0
        const answer = Effect.gen(function* () {
          const one = yield* Queue.take(asked)
          yield* Effect.sleep(5)
          yield* Deferred.succeed(one, ++answered)
        })
        yield* Effect.forkScoped(Effect.forever(answer))
        return asked
      })
    )
    const work = Effect.gen(function* () {
      const answer = yield* Deferred.make<number>()
      yield* Queue.offer(yield* Server, answer)
      return Stop({ value: (yield* Deferred.await(answer)) > 0 })
    })
    const flow = flowOf({ work: defineStep({ accepts: Start, emits: Stop, run: () => work }) as any })
    const { complete, cuts, outcomes } = await explorePromise(flow as any, { crash: true, layer })
    expect([complete, cuts > 2, outcomes.map(({ outcome }) => outcome.text)]).toEqual([
      true,
      true,
      ['Stop {"value":true}']
    ])
  })

  it("lets the promises of the dead process go as far as they can at once, but no further", async () => {
    let did: Array<string> = []
    const flow = flowOf({
      work: defineStep({
        accepts: Start,
        emits: Stop,
        run: async () => {
          did.push("a")
          await Promise.resolve()
          did.push("b")
          await new Promise((resolve) => setTimeout(resolve, 10))
          did.push("c")
          return Stop({ value: "done" })
        }
      })
    })
    const all = new Set<string>()
    const options = { setup: () => void (did = []), check: { look: () => void all.add(did.join("")) } }
    const { complete, uncontrolled } = await explorePromise(flow, { crash: true, timers: "virtual", ...options })
    expect([complete, uncontrolled]).toEqual([true, []])
    expect([...all]).toEqual(["abc", "ababc", "abcabc"])
  })

  it("keeps its deadlines, pauses, limits and retries", async () => {
    const one = defineLimit("one", { concurrent: 1 })
    let failed = 0
    const flow = flowOf(
      {
        items: items(1, 2, 3),
        work: defineStep({
          accepts: Item,
          emits: Done,
          limit: one,
          timeout: "1 minute",
          retry: { times: 3 },
          run: ({ n }) =>
            Effect.flatMap(Effect.sleep(n), () =>
              failed++ < 1 ? Effect.fail("not yet" as const) : Effect.succeed(Done({ n }))
            )
        }),
        end: defineStep({
          accepts: gather(Done),
          emits: Stop,
          run: (done) => Stop({ value: done.map(({ n }) => n) })
        })
      },
      { timeout: "1 hour" }
    )
    const setup = () => void (failed = 0)
    const found = await explorePromise(flow, { crash: true, time: "ordered", setup })
    expect(found).toMatchObject({ complete: true, repeated: ["items", "work", "end"] })
    expect(found.cuts).toBeGreaterThan(10)
    expect(found.outcomes.map(({ outcome }) => outcome.text)).toEqual(['Stop {"value":[1,2,3]}'])
  })

  it("keeps what was collected by hand, and calls again whoever read what was written meanwhile", async () => {
    const sum = defineState("sum", Schema.Number, 0)
    const flow = flowOf({
      items: items(1, 2, 3),
      add: defineStep({
        accepts: Item,
        emits: Done,
        run: ({ n }, { get, set }) =>
          Effect.gen(function* () {
            const before = get(sum)
            yield* Effect.sleep(1)
            set(sum, before + n)
            return Done({ n })
          })
      }),
      end: defineStep({
        accepts: Done,
        emits: Stop,
        run: (_, { collect, get }) => (collect([Done, Done, Done]) ? Stop({ value: get(sum) }) : undefined)
      })
    })
    const lost = await exploring(flow, {})
    expect(lost.invariant).toBe("sameResult")
    const found = await explorePromise(flow, { crash: true, schedules: 300 })
    expect(found.outcomes.map(({ outcome }) => outcome.text)).toEqual(['Stop {"value":6}'])
  })

  it("may be made to fail and be interrupted, too", async () => {
    const flow = flowOf({
      work: defineStep({
        accepts: Start,
        emits: Stop,
        retry: { times: 1 },
        run: () => Effect.as(Effect.sleep(1), Stop({ value: 1 }))
      })
    })
    const options = { crash: true, cancel: true, faults: { kinds: ["fail-after", "hang"] as const } }
    const crashes: Array<boolean> = []
    const check = {
      look: (_: unknown, seen: { crashed: boolean; cancelled: boolean }) => {
        if (seen.cancelled) crashes.push(seen.crashed)
      }
    }
    const found = await explorePromise(flow, {
      ...options,
      invariants: { sameResult: false, neverStalls: false },
      check
    })
    expect(found.complete).toBe(true)
    expect(new Set(crashes)).toEqual(new Set([false, true]))
  })

  it("has no finalizer that fails where a step failed before another stopped it", async () => {
    const Start = defineEvent("Start")
    const Stop = defineEvent("Stop")
    const flowOf = (run: () => any) =>
      workflow({
        name: "stopping",
        start: Start,
        stop: Stop,
        steps: {
          stops: defineStep({ accepts: Start, emits: Stop, run: () => Stop({}) }),
          fails: defineStep({ accepts: Start, emits: Stop, run })
        }
      })
    const invariants = { sameResult: false, neverFails: false }
    const throws = flowOf(() => {
      throw new Error("broken")
    })
    expect(await exploring(throws, { crash: true, invariants })).toMatchObject({ complete: true })
    const releases = flowOf(() => Effect.onInterrupt(Effect.never, () => Effect.die(new Error("broken"))))
    expect(await exploring(releases, { crash: true, invariants })).toMatchObject({ invariant: "finalizersRun" })
  })

  it("may define its events and state anew", async () => {
    const make = () => {
      const Part = defineEvent("Part", { n: Schema.Number })
      const sum = defineState("sum", Schema.Number, 0)
      const parts = defineStep({
        accepts: Start,
        emits: Part,
        run: (_, { set }) => {
          set(sum, 4)
          return [1, 2].map((n) => Part({ n }))
        }
      })
      const end = defineStep({
        accepts: collect(Part, 2),
        emits: Stop,
        run: async ([a, b], { get }) => Stop({ value: a!.n + b!.n + get(sum) })
      })
      return flowOf({ parts, end })
    }
    const { complete, outcomes } = await explorePromise(make(), { crash: { process: make } })
    expect([complete, outcomes.map(({ outcome }) => outcome.text)]).toEqual([true, ['Stop {"value":7}']])
  })
})

describe("events that are sent to a run", () => {
  const Vote = defineEvent("Vote", { by: Schema.String })
  const Counted = defineEvent("Counted", { by: Schema.String })
  let counted: Array<string> = []
  const setup = () => void (counted = [])
  /** Counts the votes; who counts in the memory counts a vote again. */
  const voting = (right: boolean) =>
    flowOf(
      {
        open: defineStep({ accepts: Start, emits: Counted, run: async () => Counted({ by: "the chair" }) }),
        count: defineStep({
          accepts: Vote,
          emits: Counted,
          run: ({ by }) => {
            if (!right || !counted.includes(by)) counted.push(by)
            return Effect.as(Effect.sleep(1), Counted({ by }))
          }
        }),
        end: defineStep({
          accepts: gather(Counted),
          emits: Stop,
          run: (votes) => Stop({ value: [votes.map(({ by }) => by), counted.length] })
        })
      },
      { inputs: [Vote] }
    )
  const sends = [Vote({ by: "ada" }), Vote({ by: "bob" })]

  it("come in their order, each at any time", async () => {
    const { complete, outcomes, schedules } = await explorePromise(voting(true), { sends, setup })
    expect([complete, outcomes.map(({ outcome }) => outcome.text)]).toEqual([
      true,
      ['Stop {"value":[["the chair","ada","bob"],2]}']
    ])
    expect(schedules).toBeGreaterThan(2)
  })

  it("are taken once, whatever process dies", async () => {
    const found = await explorePromise(voting(true), { sends, setup, crash: true })
    expect(found).toMatchObject({ complete: true, repeated: ["open", "count", "end"] })
    expect(found.cuts).toBeGreaterThan(found.schedules / 2)
    expect(found.outcomes.map(({ outcome }) => outcome.text)).toEqual(['Stop {"value":[["the chair","ada","bob"],2]}'])

    const failure = await exploring(voting(false), { sends, setup, crash: true })
    expect(failure.message).toMatchInlineSnapshot(`
      "workflow 'crashes' breaks 'safeToCrash' after a crash: its outcome differs from the usual one

        usually    Stop {"value":[["the chair","ada","bob"],2]}
        this time  Stop {"value":[["the chair","ada","bob"],3]}
        ran twice  count(Vote {"by":"ada"})

      What happens this time (one choice differs from the usual order, marked →):

          open   begins with Start
          open   emits Counted {"by":"the chair"}
          Vote {"by":"ada"} comes from outside
          count  begins with Vote {"by":"ada"}
        → the process dies, and another goes on after entry 2 of the journal
          count  is called again with Vote {"by":"ada"}
          Vote {"by":"bob"} comes from outside
          count  begins with Vote {"by":"bob"}
          count  emits Counted {"by":"ada"}, given Vote {"by":"ada"}
          count  emits Counted {"by":"bob"}
          end    begins with Counted {"by":"the chair"}, Counted {"by":"ada"}, Counted {"by":"bob"}
          end    emits Stop {"value":[["the chair","ada","bob"],3]}

      Found in schedule 5. To see it again:

        explorePromise(flow, { crash: true, sends, setup, replay: "3.1.2~162ct" })"
    `)
    const again = await exploring(voting(false), { sends, setup, crash: true, replay: failure.schedule })
    expect(again.outcome.text).toBe(failure.outcome.text)
  })

  it("reach a process that makes the workflow anew", async () => {
    const options = { sends, setup, crash: { process: () => voting(true) } }
    const { complete, outcomes } = await explorePromise(voting(true), options)
    expect([complete, outcomes.length]).toEqual([true, 1])
  })

  it("must be inputs of the workflow, and not a program's own", async () => {
    const failure = await exploring(voting(true), { sends: [Item({ n: 1 }), { _tag: "Vote", by: 1 }] } as any)
    expect(failure.message).toMatchInlineSnapshot(`
      "workflow 'crashes' cannot be explored:
      - 'sends' has Item {"n":1}, which is not among the workflow's 'inputs'
      - 'sends': event 'Vote' does not fit its schema: Expected string at ["by"] (given Vote {"by":1})"
    `)
    const both = await exploring(voting(true), { sends, program: () => Effect.void })
    expect(both.problems).toEqual(["'program' sends its own events, so leave out 'sends'"])
    const none = await exploring(voting(true), { sends: 1 as any })
    expect(none.problems).toEqual(["'sends' must be a list of events, not 1"])
  })
})

describe("where orders end differently", () => {
  let begun = 0
  const racing = (right: boolean) => {
    const wins = (by: string) =>
      defineStep({
        accepts: Start,
        emits: Stop,
        run: () =>
          Effect.suspend(() => {
            const twice = ++begun > 2 && !right
            return Effect.as(Effect.sleep(10), Stop({ value: twice ? "both" : by }))
          })
      })
    return flowOf({ ada: wins("ada"), bob: wins("bob") })
  }
  const options = { crash: true, setup: () => void (begun = 0), invariants: { sameResult: false } }

  it("a run that was cut ends as one that was not", async () => {
    const { complete, outcomes } = await explorePromise(racing(true), options)
    expect([complete, outcomes.length]).toEqual([true, 2])
  })

  it("another ending is a failure, which can be replayed", async () => {
    const failure = await exploring(racing(false), options)
    expect(failure.message.split("\n")[0]).toBe(
      "workflow 'crashes' breaks 'safeToCrash' after a crash: no order ends like this without a crash"
    )
    const again = await exploring(racing(false), { ...options, replay: failure.schedule })
    expect([again.invariant, again.outcome.text]).toEqual(["safeToCrash", failure.outcome.text])
  })

  it("is not known to be wrong if not all orders can be tried", async () => {
    const { complete, cuts } = await explorePromise(racing(false), { ...options, schedules: 3, random: 0 })
    expect([complete, cuts > 0]).toEqual([false, true])
  })
})

describe("a step that asks", () => {
  const Question = defineEvent("Question", { n: Schema.Number })
  const Answer = defineEvent("Answer", { n: Schema.Number })
  const asking = (step: object): AnyWorkflow =>
    flowOf(
      { ask: defineStep({ accepts: Start, emits: [Question, Stop], asks: Answer, ...step } as any) as any },
      { inputs: [Answer], outputs: [Question] }
    )

  it("may ask side by side, in another order when it is called again", async () => {
    let calls = 0
    const flow = asking({
      run: async (_: unknown, { ask }: any) => {
        const order = calls++ % 2 === 0 ? [1, 2] : [2, 1]
        const answers = await Promise.all(order.map((n) => ask(Question({ n }), Answer, (to: any) => to.n === n)))
        return Stop({ value: answers.map(({ n }) => n).sort() })
      }
    })
    const sends = [2, 1].map((n) => Answer({ n }))
    const found = await explorePromise(flow, { crash: true, setup: () => void (calls = 0), sends, schedules: 200 })
    expect(found).toMatchObject({ repeated: ["ask"], uncontrolled: [] })
    expect(found.outcomes.map(({ outcome }) => outcome.text)).toEqual(['Stop {"value":[1,2]}'])
  })

  it("has no more time than before, if it has asked", async () => {
    const flow = asking({
      timeout: "500 millis",
      run: (_: unknown, { ask }: any) =>
        Effect.gen(function* () {
          yield* ask(Question({ n: 1 }), Answer)
          yield* Effect.sleep(300)
          return Stop({ value: "in time" })
        }),
      recover: () => Stop({ value: "late" })
    })
    const failure = await exploring(flow, { crash: true, sends: [Answer({ n: 1 })], time: "ordered" })
    expect([failure.invariant, failure.outcome.text]).toEqual(["safeToCrash", 'Stop {"value":"late"}'])
  })
})

it("keeps each round of a deadline in its time", async () => {
  const Missing = defineEvent("Missing")
  const Late = defineEvent("Late", { n: Schema.Number })
  const flow = flowOf(
    {
      items: items(1, 2),
      late: defineStep({
        accepts: join([Item, Missing], { within: "20 seconds" }),
        emits: Late,
        run: ([item]) => Late({ n: item!.n })
      }),
      // Its process may die while the rounds wait.
      work: defineStep({
        accepts: Start,
        emits: Done,
        run: () => Effect.as(Effect.sleep("10 seconds"), Done({ n: 0 }))
      }),
      end: defineStep({
        accepts: collect(Late, 2),
        emits: Stop,
        run: (all) => Stop({ value: all.map(({ n }) => n).sort() })
      })
    },
    { inputs: [Missing], outputs: [Done], timeout: "25 seconds" }
  )
  const found = await exploring(flow, { crash: true, sends: [], time: "ordered" })
  expect(found).toMatchObject({ complete: true })
  expect(found.cuts).toBeGreaterThan(1)
  expect(found.outcomes.map(({ outcome }: any) => outcome.text)).toEqual(['Stop {"value":[1,2]}'])
})

it("says what the new process never reaches", async () => {
  let late = false
  const flow = flowOf({
    items: items(1, 2),
    pair: defineStep({
      accepts: collect(Item, 2, { by: ({ n }) => late && n }),
      emits: Done,
      run: () => Done({ n: 3 })
    }),
    end: defineStep({
      accepts: Done,
      emits: Stop,
      run: () => {
        late = true
        return Effect.as(Effect.sleep(1), Stop({ value: 1 }))
      }
    })
  })
  const invariants = { sameResult: false, neverStalls: false, neverFails: false }
  const failure = await exploring(flow, { crash: true, setup: () => void (late = false), invariants })
  expect(failure.message).toMatchInlineSnapshot(`
    "workflow 'crashes' breaks 'safeToCrash' after a crash: something that is called again after a crash, such as \`by\`, gave another result

      usually    Stop {"value":1}
      this time  cannot go on: the new process never reaches pair([Item {"n":1},Item {"n":2}]), which had ended

    What happens this time (one choice differs from the usual order, marked →):

        items  begins with Start
        items  emits Item {"n":1}
        items  emits Item {"n":2}
        pair   begins with Item {"n":1}, Item {"n":2}
        pair   emits Done {"n":3}
        end    begins with Done {"n":3}
      → the process dies, and another goes on after entry 2 of the journal

    Found in schedule 4. To see it again:

      explorePromise(flow, { crash: true, setup, invariants, replay: "2.1.2~1k8cs" })"
  `)
})

describe("cannot be explored with a crash", () => {
  const end = defineStep({ accepts: Start, emits: Stop, run: () => Stop({ value: 1 }) })
  const flow = flowOf({ end })
  const problems: ReadonlyArray<readonly [string, AnyWorkflow, any, string]> = [
    ["another value", flow, { crash: 1 }, "'crash' must be true, false or { process: () => flow }, not 1"],
    [
      "another option",
      flow,
      { crash: { proces: () => flow } },
      "there is no 'crash.proces': did you mean 'crash.process'?"
    ],
    ["no process", flow, { crash: {} }, "'crash.process' is missing: it must be a function that makes the workflow"],
    ["another process", flow, { crash: { process: flow } }, "'crash.process' must be a function, not"],
    [
      "another workflow",
      flow,
      { crash: { process: () => flowOf({ other: end }) } },
      "'crash.process' makes another workflow than the one to explore: both must have the same graph"
    ],
    ["no workflow", flow, { crash: { process: () => 1 } }, "'crash.process' makes no workflow: it is not an object"],
    [
      "a program",
      flow,
      { crash: true, program: () => Effect.void },
      "'crash' cuts the workflow's own run: leave out 'program', and list what it sends in 'sends'"
    ],
    ["a setup", flow, { setup: 1 }, "'setup' must be a function, not 1"]
  ]

  it.each(problems)("%s", async (_, flow, options, problem) => {
    const failure = await exploring(flow, options)
    expect(failure).toBeInstanceOf(InvalidExploration)
    expect(failure.message).toContain(problem)
  })
})
