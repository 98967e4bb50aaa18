// An agent whose calls are approved from outside, in every order: it has its rounds, and no round without the calls that can
// still be approved.
import { explore } from "@stepgraph/testing"
import { Effect, Schema, Stream } from "effect"
import { defineEvent, defineStep, gather, join, launch, workflow } from "stepgraph"
import { describe, expect, it, vi } from "vitest"

vi.setConfig({ testTimeout: 120_000 })

const Start = defineEvent("Start")
const Turn = defineEvent("Turn", { n: Schema.Number })
const Call = defineEvent("Call", { id: Schema.String })
const Approval = defineEvent("Approval", { id: Schema.String })
const Result = defineEvent("Result", { id: Schema.String })
const Final = defineEvent("Final", { rounds: Schema.Array(Schema.String) })

const rounds = 3

/** The agent, and what its gather's step has been given while nobody had closed the inputs, and after that. */
const agent = (per: boolean) => {
  const told = { closed: false, open: [] as string[], late: [] as string[] }
  const review = (results: ReadonlyArray<{ readonly id: string }>) => {
    const ids = results.map(({ id }) => id).join("+")
    ;(told.closed ? told.late : told.open).push(ids)
    const n = told.open.length + told.late.length
    return n < rounds ? Turn({ n: n + 1 }) : Final({ rounds: [...told.open, ...told.late] })
  }
  const flow = workflow({
    name: "agent",
    start: Start,
    stop: Final,
    inputs: [Approval],
    outputs: [Call],
    steps: {
      begin: defineStep({ accepts: Start, emits: Turn, run: () => Turn({ n: 1 }) }),
      think: defineStep({
        accepts: Turn,
        emits: Call,
        run: ({ n }) => ["a", "b"].map((name) => Call({ id: `${name}${n}` }))
      }),
      use: defineStep({
        accepts: join([Call, Approval], { by: ({ id }) => id }),
        emits: Result,
        run: ([{ id }]) => Effect.as(Effect.sleep(10), Result({ id }))
      }),
      review: per
        ? defineStep({ accepts: gather(Result, { per: Turn }), emits: [Turn, Final], run: review })
        : defineStep({ accepts: gather(Result), emits: [Turn, Final], run: review })
    }
  })
  return { flow, told }
}

const explored = (per: boolean, closes: boolean, check: (told: ReturnType<typeof agent>["told"]) => void) => {
  const { flow, told } = agent(per)
  const program = Effect.scoped(
    Effect.gen(function* () {
      Object.assign(told, { closed: false, open: [], late: [] })
      const live = yield* launch(flow)
      const approve = (id: string) => Effect.ignore(Effect.delay(live.send(Approval({ id })), 10))
      const close = Effect.suspend(() => {
        told.closed = true
        return live.closeInputs
      })
      yield* Effect.forkScoped(
        Stream.runForEach(live.events, (event) =>
          event._tag === "Call" ? Effect.asVoid(Effect.forkScoped(approve(event.id))) : Effect.void
        )
      )
      if (closes) yield* Effect.forkScoped(Effect.delay(close, 10))
      const result = yield* live.result
      check(told)
      return result
    })
  )
  return Effect.runPromise(
    explore(flow, {
      program: () => program as any,
      input: {},
      schedules: 4000,
      random: 0,
      lanes: "in turn",
      invariants: { sameResult: !closes }
    } as any) as Effect.Effect<any>
  )
}

describe.each([false, true])("three rounds of calls that are approved, per turn: %s", (per) => {
  it("have one result in every order", async () => {
    const { complete, outcomes, schedules } = await explored(per, false, ({ open }) => {
      expect(open).toEqual(["a1+b1", "a2+b2", "a3+b3"])
    })
    expect(complete).toBe(true)
    expect(schedules).toBeGreaterThan(50)
    expect(outcomes.map(({ outcome }: any) => outcome.result.rounds)).toEqual([["a1+b1", "a2+b2", "a3+b3"]])
  })

  it("have no round without what can still be approved, whenever the inputs are closed", async () => {
    const ends = new Set<number>()
    const { complete, schedules } = await explored(per, true, ({ open, late }) => {
      expect(open).toEqual(["a1+b1", "a2+b2", "a3+b3"].slice(0, open.length))
      expect(open.length + late.length).toBe(rounds)
      ends.add(open.length)
    })
    expect(complete).toBe(true)
    expect(schedules).toBeGreaterThan(500)
    expect(ends.size).toBe(rounds + 1)
  })
})
