// An event goes to every step that accepts its tag, first in first out per lane. Only declared emissions are routed.
import { describe, expect, it } from "@effect/vitest"
import { Duration, Effect, Schema } from "effect"
import { collect, defineEvent, defineStep, gather, run, runPromise, workflow } from "stepgraph"
import { Done, numbers, recorded, Start, Stop, stop, Task, untyped, upTo } from "./support/flow.ts"
import { defect, result } from "./support/virtual.ts"

const begin = (count: number) =>
  defineStep({ accepts: Start, emits: Task, run: () => upTo(count).map((n) => Task({ n })) })

describe("delivery", () => {
  it("goes to every step that accepts the event, as the same object", async () => {
    const got: Array<unknown> = []
    const take = defineStep({
      accepts: Task,
      emits: Done,
      run: (task) => {
        got.push(task)
        return Done({ n: task.n })
      }
    })
    const flow = workflow({
      name: "all",
      start: Start,
      stop: Stop,
      steps: {
        begin: begin(1),
        a: take,
        b: take,
        c: take,
        finish: defineStep({ accepts: collect(Done, 3), emits: Stop, run: (done) => stop(done.length) })
      }
    })
    expect((await runPromise(flow)).values).toEqual([3])
    expect(new Set(got).size).toBe(1)
  })

  it("of the start event goes to every step that accepts it", async () => {
    const take = defineStep({ accepts: Start, emits: Done, run: () => Done({ n: 1 }) })
    const finish = defineStep({ accepts: collect(Done, 2), emits: Stop, run: (done) => stop(done.length) })
    const flow = workflow({ name: "start", start: Start, stop: Stop, steps: { a: take, b: take, finish } })
    expect((await runPromise(flow)).values).toEqual([2])
  })

  it.effect("goes to plain steps and intakes alike", () =>
    Effect.gen(function* () {
      const seen: Array<number> = []
      const flow = workflow({
        name: "both",
        start: Start,
        stop: Stop,
        steps: {
          begin: begin(3),
          plain: defineStep({ accepts: Task, emits: [], run: ({ n }) => void seen.push(n) }),
          finish: defineStep({
            accepts: gather(Task),
            emits: Stop,
            run: (tasks) => Effect.as(Effect.sleep(1), stop(...numbers(tasks)))
          })
        }
      })
      expect((yield* result(run(flow))).values).toEqual([0, 1, 2])
      expect(seen).toEqual([0, 1, 2])
    })
  )

  it("runs a step that accepts several events once per event", async () => {
    const Other = defineEvent("Other", { text: Schema.String })
    const seen: Array<string> = []
    const flow = workflow({
      name: "either",
      start: Start,
      stop: Stop,
      steps: {
        begin: defineStep({
          accepts: Start,
          emits: [Task, Other],
          run: () => [Task({ n: 1 }), Other({ text: "x" }), Task({ n: 2 })]
        }),
        either: defineStep({
          accepts: [Task, Other],
          emits: Stop,
          run: (event) => {
            seen.push(event._tag === "Task" ? `Task ${event.n}` : `Other ${event.text}`)
            if (seen.length === 3) return stop()
          }
        })
      }
    })
    await runPromise(flow)
    expect(seen).toEqual(["Task 1", "Other x", "Task 2"])
  })

  it("may go to the step that emitted the event", async () => {
    const flow = workflow({
      name: "loop",
      start: Start,
      stop: Stop,
      steps: {
        begin: begin(1),
        again: defineStep({
          accepts: Task,
          emits: [Task, Stop],
          run: ({ n }) => (n === 10 ? stop(n) : Task({ n: n + 1 }))
        })
      }
    })
    expect((await runPromise(flow)).values).toEqual([10])
  })

  it.effect("is first in, first out, however long each invocation takes", () =>
    Effect.gen(function* () {
      const started: Array<number> = []
      const flow = workflow({
        name: "fifo",
        start: Start,
        stop: Stop,
        steps: {
          begin: begin(50),
          work: defineStep({
            accepts: Task,
            emits: Done,
            workers: 3,
            run: ({ n }) => {
              started.push(n)
              return Effect.as(Effect.sleep((n * 37) % 11), Done({ n }))
            }
          }),
          finish: defineStep({ accepts: collect(Done, 50), emits: Stop, run: () => stop() })
        }
      })
      yield* result(run(flow))
      expect(started).toEqual(upTo(50))
    })
  )

  it.effect("to a slow step does not hold up a fast one", () =>
    Effect.gen(function* () {
      const flow = workflow({
        name: "lanes",
        start: Start,
        stop: Stop,
        steps: {
          begin: begin(5),
          slow: defineStep({ accepts: Task, emits: [], workers: 1, run: () => Effect.sleep("1 hour") }),
          fast: defineStep({ accepts: Task, emits: Done, workers: 1, run: ({ n }) => Done({ n }) }),
          finish: defineStep({ accepts: collect(Done, 5), emits: Stop, run: (done) => stop(...numbers(done)) })
        }
      })
      const [took, event] = yield* result(Effect.timed(run(flow)))
      expect(event.values).toEqual(upTo(5))
      expect(Duration.toMillis(took)).toBe(0)
    })
  )

  it.effect("of an output that no step accepts goes nowhere, and does no harm", () =>
    Effect.gen(function* () {
      const trace = recorded()
      const flow = workflow({
        name: "output",
        start: Start,
        stop: Stop,
        outputs: [Task],
        steps: { only: defineStep({ accepts: Start, emits: [Task, Stop], run: () => [Task({ n: 1 }), stop(2)] }) }
      })
      expect((yield* trace.record(run(flow))).values).toEqual([2])
      expect(trace.of("EventDelivered").map(({ step }) => step)).toEqual(["only"])
    })
  )

  it.effect("is limited to declared events: anything else goes nowhere", () =>
    Effect.gen(function* () {
      const seen: Array<unknown> = []
      const flow = untyped.workflow({
        name: "declared",
        start: Start,
        stop: Stop,
        steps: {
          begin: untyped.step({ accepts: Start, emits: Done, run: () => [Done({ n: 1 }), Task({ n: 2 })] }),
          done: defineStep({ accepts: Done, emits: [Task, Stop], run: () => stop() }),
          task: defineStep({ accepts: Task, emits: [], run: (task) => void seen.push(task) })
        }
      })
      yield* defect(run(flow))
      expect(seen).toEqual([])
    })
  )

  it("lets a step be replaced by spreading the workflow, and leaves the old one as it was", async () => {
    const flow = workflow({
      name: "old",
      start: Start,
      stop: Stop,
      steps: {
        begin: begin(1),
        work: defineStep({ accepts: Task, emits: Done, run: () => Done({ n: 1 }) }),
        finish: defineStep({ accepts: Done, emits: Stop, run: ({ n }) => stop(n) })
      }
    })
    const work = defineStep({ accepts: Task, emits: Done, run: async () => Done({ n: 2 }) })
    const other = workflow({ ...flow, name: "new", steps: { ...flow.steps, work } })
    expect((await runPromise(other)).values).toEqual([2])
    expect((await runPromise(flow)).values).toEqual([1])
  })
})
