// Gathers beside open inputs: each waits exactly as long as one of its events can still come.
import { describe, expect, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { TestClock } from "effect/testing"
import { collect, defineEvent, defineStep, gather, join, launch, race, workflow } from "stepgraph"

const Start = defineEvent("Start")
const Turn = defineEvent("Turn", { n: Schema.Number })
const Call = defineEvent("Call", { id: Schema.String })
const Other = defineEvent("Other", { id: Schema.String })
const Approval = defineEvent("Approval", { id: Schema.String })
const Checked = defineEvent("Checked", { id: Schema.String })
const Result = defineEvent("Result", { id: Schema.String })
const Best = defineEvent("Best", { id: Schema.String })
const Final = defineEvent("Final", { rounds: Schema.Array(Schema.String) })

const byId = { by: ({ id }: { readonly id: string }) => id }
const approve = (id: string) => Approval({ id })
const ids = (events: ReadonlyArray<{ readonly id: string }>): string => events.map(({ id }) => id).join("+")

const begin = defineStep({ accepts: Start, emits: Turn, run: () => Turn({ n: 1 }) })
const think = defineStep({
  accepts: Turn,
  emits: Call,
  run: ({ n }) => ["a", "b"].map((name) => Call({ id: `${name}${n}` }))
})
const use = defineStep({
  accepts: join([Call, Approval], byId),
  emits: Result,
  run: ([{ id }]) => Effect.as(Effect.sleep("1 second"), Result({ id }))
})

/** Three rounds, as a gather's step saw them. */
const agent = (per: boolean) => {
  let seen: Array<string> = []
  const round = (results: ReadonlyArray<{ readonly id: string }>) => {
    seen.push(ids(results))
    return seen.length < 3 ? Turn({ n: seen.length + 1 }) : Final({ rounds: seen })
  }
  const start = defineStep({
    accepts: Start,
    emits: Turn,
    run: () => {
      seen = []
      return Turn({ n: 1 })
    }
  })
  const review = per
    ? defineStep({ accepts: gather(Result, { per: Turn }), emits: [Turn, Final], run: round })
    : defineStep({ accepts: gather(Result), emits: [Turn, Final], run: round })
  return workflow({
    name: "agent",
    start: Start,
    stop: Final,
    inputs: [Approval],
    steps: { begin: start, think, use, review }
  })
}

/** What a gather's step was given, round by round, with what waits for an answer before it. */
const watching = (before: Record<string, any>, accepts: any) => {
  const rounds: Array<string> = []
  const flow: any = workflow({
    name: "watching",
    start: Start,
    stop: Final,
    inputs: [Approval],
    steps: {
      begin,
      ...before,
      watch: defineStep({ accepts, emits: Final, run: (events: any) => void rounds.push(ids(events)) } as any)
    }
  } as any)
  return { flow, rounds }
}

describe.each([false, true])("an agent whose calls are approved, per turn: %s", (per) => {
  it.effect("has its rounds in any order of approvals", () =>
    Effect.gen(function* () {
      const live = yield* launch(agent(per))
      for (const id of ["b1", "a1", "a2", "b2", "b3", "a3"]) {
        yield* TestClock.adjust("1 hour")
        expect((yield* live.status).state).toBe("running")
        yield* live.send(approve(id))
      }
      yield* TestClock.adjust("1 hour")
      expect((yield* live.result).rounds).toEqual(["a1+b1", "a2+b2", "a3+b3"])
    })
  )

  it.effect("takes an approval that came before its question", () =>
    Effect.gen(function* () {
      const live = yield* launch(agent(per))
      for (const id of ["a1", "a2", "b2", "b3", "a3"]) yield* live.send(approve(id))
      yield* TestClock.adjust("1 hour")
      expect((yield* live.status).waiting.map(({ key, has }) => [key, has])).toContainEqual(["b1", { Call: 1 }])
      yield* live.send(approve("b1"))
      yield* TestClock.adjust("1 hour")
      expect((yield* live.result).rounds).toEqual(["a1+b1", "a2+b2", "a3+b3"])
    })
  )

  it.effect("continues with the approved calls when the inputs are closed", () =>
    Effect.gen(function* () {
      const live = yield* launch(agent(per))
      yield* live.send(approve("a1"))
      yield* TestClock.adjust("1 hour")
      yield* live.send(approve("b2"))
      yield* live.closeInputs
      yield* TestClock.adjust("1 hour")
      expect((yield* live.result).rounds).toEqual(["a1", "b2", ""])
    })
  )
})

describe("a gather beside open inputs", () => {
  it.effect("is not kept open by work that only an approval could lead to", () =>
    Effect.gen(function* () {
      const none = defineStep({ accepts: Turn, emits: Call, run: () => [] })
      const { flow, rounds } = watching({ none, use }, gather(Result))
      const live = yield* launch(flow)
      yield* TestClock.adjust("1 second")
      expect(rounds).toEqual([""])
      yield* live.send(approve("a1"))
      yield* TestClock.adjust("1 second")
      expect(rounds).toEqual([""])
    })
  )

  it.effect("does not wait for a round whose missing event cannot come", () =>
    Effect.gen(function* () {
      const both = defineStep({
        accepts: join([Call, Other, Approval], byId),
        emits: Result,
        run: ([{ id }]) => Result({ id })
      })
      const others = defineStep({
        accepts: Turn,
        emits: Other,
        run: () => Effect.as(Effect.sleep("1 second"), Other({ id: "b1" }))
      })
      const { flow, rounds } = watching({ think, others, both }, gather(Result, { per: Turn }))
      const live = yield* launch(flow)
      yield* TestClock.adjust("1 hour")
      // `a1` has no other, and waits for none.
      expect(rounds).toEqual([])
      yield* live.send(approve("b1"))
      yield* TestClock.adjust("1 second")
      expect(rounds).toEqual(["b1"])
    })
  )

  it.effect("waits for each round of a surplus, in the scope that it would run in", () =>
    Effect.gen(function* () {
      const turns = defineStep({ accepts: Start, emits: Turn, run: () => [1, 2].map((n) => Turn({ n })) })
      const one = defineStep({ accepts: Turn, emits: Call, run: ({ n }) => Call({ id: `a${n}` }) })
      const any = defineStep({
        accepts: join([Call, Approval]),
        emits: Result,
        run: ([{ id }]) => Result({ id })
      })
      const { flow, rounds } = watching({ begin: turns, one, any }, gather(Result, { per: Turn }))
      const live = yield* launch(flow)
      yield* TestClock.adjust("1 second")
      yield* live.send(approve(""))
      yield* TestClock.adjust("1 second")
      expect(rounds).toEqual(["a1"])
      yield* live.closeInputs
      expect((yield* Effect.flip(live.result))._tag).toBe("WorkflowStalled")
      expect(rounds).toEqual(["a1", ""])
    })
  )

  it.effect("waits for events that a collect holds", () =>
    Effect.gen(function* () {
      const three = defineStep({
        accepts: collect([Call, Approval], 3),
        emits: Result,
        run: (three) => Result({ id: ids(three) })
      })
      const { flow, rounds } = watching({ think, three }, gather(Result, { per: Turn }))
      const live = yield* launch(flow)
      yield* TestClock.adjust("1 hour")
      expect(rounds).toEqual([])
      yield* live.send(approve("c"))
      yield* TestClock.adjust("1 second")
      expect(rounds).toEqual(["a1+b1+c"])
    })
  )

  it.effect("waits for events that a step keeps with ctx.collect, which then descend from it", () =>
    Effect.gen(function* () {
      const byHand = defineStep({
        accepts: [Call, Approval],
        emits: Result,
        run: (_, { collect }) => {
          const all = collect([Call, Call, Approval])
          return all === undefined ? [] : Result({ id: ids(all) })
        }
      })
      for (const early of [false, true]) {
        const { flow, rounds } = watching({ think, byHand }, gather(Result, { per: Turn }))
        const live = yield* launch(flow)
        if (!early) yield* TestClock.adjust("1 hour")
        expect(rounds).toEqual([])
        yield* live.send(approve("c"))
        yield* TestClock.adjust("1 second")
        expect(rounds).toEqual(["a1+b1+c"])
      }
    })
  )

  it.effect("waits for the events of a round until its deadline", () =>
    Effect.gen(function* () {
      const timed = defineStep({
        accepts: join([Approval, Call, Other], { within: "1 minute" }),
        emits: Result,
        run: ([_, call]) => (call === undefined ? [] : Result({ id: call.id }))
      })
      const one = defineStep({ accepts: Turn, emits: Call, run: () => Call({ id: "a1" }) })
      const never = defineStep({ accepts: Turn, emits: Other, run: () => [] })
      const late = defineStep({
        accepts: Start,
        emits: Turn,
        run: () => Effect.as(Effect.sleep("1 second"), Turn({ n: 1 }))
      })
      const { flow, rounds } = watching({ begin: late, one, never, timed }, gather(Result, { per: Turn }))
      const live = yield* launch(flow)
      yield* live.send(approve("early"))
      yield* TestClock.adjust("59 seconds")
      expect(rounds).toEqual([])
      yield* TestClock.adjust("1 second")
      expect(rounds).toEqual(["a1"])
    })
  )

  it.effect("waits, once they are closed, for inputs that are still on their way", () =>
    Effect.gen(function* () {
      const check = defineStep({
        accepts: Approval,
        emits: Checked,
        run: ({ id }) => Effect.as(Effect.sleep("1 minute"), Checked({ id }))
      })
      const checked = defineStep({
        accepts: join([Call, Checked], byId),
        emits: Result,
        run: ([{ id }]) => Result({ id })
      })
      const { flow, rounds } = watching({ think, check, checked }, gather(Result, { per: Turn }))
      const live = yield* launch(flow)
      yield* live.send(approve("b1"))
      yield* live.closeInputs
      yield* TestClock.adjust("59 seconds")
      expect(rounds).toEqual([])
      yield* TestClock.adjust("1 second")
      expect(rounds).toEqual(["b1"])
      expect((yield* Effect.flip(live.result)).message).toContain(
        "step 'checked' waits for join([Call, Checked], { by }) with the key \"a1\": has 1 Call, needs 1 Checked"
      )
    })
  )

  it.effect("does not wait for events that could only reach a decided race", () =>
    Effect.gen(function* () {
      const first = defineStep({
        accepts: race(Result, { per: Turn }),
        emits: Best,
        run: ({ id }) => Best({ id })
      })
      const { flow, rounds } = watching({ think, use, first }, gather(Best))
      const live = yield* launch(flow)
      yield* TestClock.adjust("1 hour")
      yield* live.send(approve("b1"))
      yield* TestClock.adjust("2 seconds")
      expect(rounds).toEqual(["b1"])
    })
  )

  it.effect("has a round for an unanswered call that its own step made", () =>
    Effect.gen(function* () {
      const rounds: Array<string> = []
      const ask = defineStep({ accepts: Start, emits: Call, run: () => Call({ id: "a1" }) })
      const again = defineStep({
        accepts: gather(Result),
        emits: [Call, Final],
        run: (results) => {
          rounds.push(ids(results))
          return rounds.length === 1 ? Call({ id: "a2" }) : Final({ rounds })
        }
      })
      const flow = workflow({
        name: "again",
        start: Start,
        stop: Final,
        inputs: [Approval],
        steps: { ask, use, again }
      })
      const live = yield* launch(flow)
      yield* live.send(approve("a1"))
      yield* TestClock.adjust("1 second")
      yield* live.closeInputs
      expect((yield* live.result).rounds).toEqual(["a1", ""])
    })
  )

  it.effect("waits while a race has fewer events than it takes, and lets it run with them when they are closed", () =>
    Effect.gen(function* () {
      const two = defineStep({
        accepts: race(Result, { per: Turn, take: 3 }),
        emits: Best,
        run: (results) => Best({ id: ids(results) })
      })
      const { flow, rounds } = watching({ think, use, two }, gather(Best))
      const live = yield* launch(flow)
      yield* live.send(approve("b1"))
      yield* TestClock.adjust("1 hour")
      expect(rounds).toEqual([])
      yield* live.closeInputs
      yield* TestClock.adjust("1 second")
      expect(rounds).toEqual(["b1"])
    })
  )

  it.effect("refuses a join of an event in a scope with one of the run", () =>
    Effect.gen(function* () {
      const setup = defineStep({ accepts: Start, emits: Other, run: () => Other({ id: "a1" }) })
      const both = defineStep({ accepts: join([Call, Other], byId), emits: Result, run: ([{ id }]) => Result({ id }) })
      const sink = defineStep({ accepts: Approval, emits: [], run: () => {} })
      const { flow } = watching({ think, setup, both, sink }, gather(Result, { per: Turn }))
      const live = yield* launch(flow)
      const error = yield* Effect.catchDefect(live.result, Effect.succeed)
      expect((error as Error).message).toContain("no 'Turn' led to this event")
    })
  )
})
