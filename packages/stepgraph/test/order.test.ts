// Events that a step sends come before those that it returns; both keep their order.
import { describe, expect, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import { defineStep, run, runPromise, type StepContext, workflow } from "stepgraph"
import { numbers, recorded, Start, Stop, stop, Task, untyped, upTo } from "./support/flow.ts"
import { result } from "./support/virtual.ts"

type Out = ReturnType<typeof Task>
const task = (n: number) => Task({ n })
const later = () => new Promise<void>((resume) => setImmediate(resume))

/** Each sends 0 and 1, and then returns 2 and 3. */
const kinds: Record<string, (input: unknown, ctx: StepContext<any, Out>) => unknown> = {
  "a plain function": (_, { send }) => {
    send(task(0))
    send(task(1))
    return [task(2), task(3)]
  },
  "a function that returns a generator": (_, { send }) => {
    send(task(0))
    send(task(1))
    return [task(2), task(3)].values()
  },
  "a generator that sends between": function* (_, { send }) {
    send(task(0))
    send(task(1))
    yield task(2)
    yield task(3)
  },
  "an async function": async (_, { send }) => {
    send(task(0))
    await later()
    send(task(1))
    return [task(2), task(3)]
  },
  "an async generator": async function* (_, { send }) {
    send(task(0))
    await later()
    send(task(1))
    yield task(2)
    await later()
    yield task(3)
  },
  "an Effect": (_, { send }) =>
    Effect.gen(function* () {
      send(task(0))
      yield* Effect.sleep(1)
      send(task(1))
      return [task(2), task(3)]
    }),
  "a Stream": (_, { send }) => {
    send(task(0))
    send(task(1))
    return Stream.fromIterable([task(2), task(3)])
  }
}

const settings = {
  "": {},
  ", with a timeout": { timeout: "1 week" },
  ", with a retry": { retry: { times: 1 } },
  ", with a recovery": { recover: () => [] }
}

describe("sent events come before returned ones", () => {
  for (const [setting, more] of Object.entries(settings)) {
    it.effect.each(Object.entries(kinds))(`by %s${setting}`, ([, emit]) =>
      Effect.gen(function* () {
        const seen: Array<number> = []
        const flow = untyped.workflow({
          name: "order",
          start: Start,
          stop: Stop,
          steps: {
            emit: untyped.step({ accepts: Start, emits: Task, run: emit, ...more }),
            take: defineStep({
              accepts: Task,
              emits: Stop,
              workers: 1,
              run: ({ n }) => {
                seen.push(n)
                if (seen.length === 4) return stop()
              }
            })
          }
        })
        yield* result(run(flow))
        expect(seen).toEqual([0, 1, 2, 3])
      })
    )
  }
})

describe("events are delivered in the order given", () => {
  it("to each of several steps", async () => {
    const seen: Record<string, Array<number>> = { a: [], b: [], c: [] }
    const take = defineStep({
      accepts: Task,
      emits: Stop,
      run: ({ n }, { step }) => {
        seen[step]!.push(n)
        if (Object.values(seen).every(({ length }) => length === 10)) return stop()
      }
    })
    const begin = defineStep({ accepts: Start, emits: Task, run: () => upTo(10).map(task) })
    await runPromise(workflow({ name: "each", start: Start, stop: Stop, steps: { begin, a: take, b: take, c: take } }))
    expect(seen).toEqual({ a: upTo(10), b: upTo(10), c: upTo(10) })
  })

  it("and are named accordingly in the trace", async () => {
    const trace = recorded()
    const steps = {
      begin: defineStep({
        accepts: Start,
        emits: Task,
        run: (_, { send }) => {
          send(task(1))
          return [task(2), task(3)]
        }
      }),
      take: defineStep({ accepts: Task, emits: Stop, run: ({ n }) => (n === 3 ? stop() : undefined) })
    }
    const flow = workflow({ name: "trace", start: Start, stop: Stop, steps })
    await runPromise(flow, {}, { observe: trace.observe })
    const emitted = trace.of("EventEmitted").filter(({ tag }) => tag === "Task")
    expect(numbers(emitted.map(({ data }) => data as { readonly n: number }))).toEqual([1, 2, 3])
    expect(trace.entries.map(({ seq }) => seq)).toEqual(upTo(trace.entries.length))
  })
})
