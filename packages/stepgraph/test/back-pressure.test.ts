// Iterators and streams are pulled only while their target lanes have room, and a loop cannot deadlock.
// (live/bounds.test.ts measures memory and closing.)
import { describe, expect, it } from "@effect/vitest"
import { type Cause, Effect, Queue, Schema, Stream } from "effect"
import { defineEvent, defineStep, gather, race, run, workflow } from "stepgraph"
import { Done, numbers, recorded, Start, Stop, stop, Task, untyped, upTo } from "./support/flow.ts"
import { result } from "./support/virtual.ts"

const Won = defineEvent("Won", { n: Schema.Number })

describe("a generator", () => {
  it.effect("is pulled only while its slow consumer's lane has room, and its events arrive in order", () =>
    Effect.gen(function* () {
      const count = 5_000
      let pulled = 0
      let furthest = 0
      let next = 0
      const flow = workflow({
        name: "slow",
        start: Start,
        stop: Stop,
        steps: {
          begin: defineStep({
            accepts: Start,
            emits: Task,
            run: function* () {
              while (pulled < count) yield Task({ n: pulled++ })
            }
          }),
          slow: defineStep({
            accepts: Task,
            emits: Stop,
            workers: 1,
            run: ({ n }) => {
              expect(n).toBe(next++)
              furthest = Math.max(furthest, pulled - n)
              return Effect.as(Effect.sleep(1), n === count - 1 ? stop(n) : undefined)
            }
          })
        }
      })
      expect((yield* result(run(flow))).values).toEqual([count - 1])
      expect(furthest).toBeLessThan(1_100)
    })
  )
})

describe("a step with a buffer", () => {
  it.effect("leaves events that do not fit with their producer, whose own bound holds", () =>
    Effect.gen(function* () {
      const queue = yield* Queue.bounded<number, Cause.Done>(2)
      let offered = 0
      let done = 0
      let furthest = 0
      const offer = (n: number) =>
        Effect.andThen(
          Queue.offer(queue, n),
          Effect.sync(() => void offered++)
        )
      yield* Effect.forkChild(Effect.andThen(Effect.forEach(upTo(100), offer), Queue.end(queue)))
      const flow = workflow({
        name: "bounded",
        start: Start,
        stop: Stop,
        steps: {
          pull: defineStep({
            accepts: Start,
            emits: Task,
            run: () => Stream.map(Stream.fromQueue(queue), (n) => Task({ n }))
          }),
          work: defineStep({
            accepts: Task,
            emits: Done,
            workers: 1,
            buffer: 2,
            run: ({ n }) =>
              Effect.as(
                Effect.andThen(
                  Effect.sleep(1),
                  Effect.sync(() => {
                    furthest = Math.max(furthest, offered - done)
                    done++
                  })
                ),
                Done({ n })
              )
          }),
          all: defineStep({ accepts: gather(Done), emits: Stop, run: (all) => stop(...numbers(all)) })
        }
      })
      expect((yield* result(run(flow))).values).toEqual(upTo(100))
      // Two in the queue, two in the chunk that the Stream has taken of it, two in the buffer, one at work.
      expect(furthest).toBeLessThanOrEqual(7)
    })
  )

  it.effect.each([1, 2, 3, 7, 100])("of %i events is filled that far and no further", (buffer) =>
    Effect.gen(function* () {
      let pulled = 0
      let furthest = 0
      const flow = workflow({
        name: "buffer",
        start: Start,
        stop: Stop,
        steps: {
          begin: defineStep({
            accepts: Start,
            emits: Task,
            run: function* () {
              while (pulled < 500) yield Task({ n: pulled++ })
            }
          }),
          slow: defineStep({
            accepts: Task,
            emits: Stop,
            workers: 1,
            buffer,
            run: ({ n }) => {
              furthest = Math.max(furthest, pulled - n - 1)
              return Effect.as(Effect.sleep(1), n === 499 ? stop(n) : undefined)
            }
          })
        }
      })
      expect((yield* result(run(flow))).values).toEqual([499])
      expect(furthest).toBeGreaterThanOrEqual(buffer - 1)
      expect(furthest).toBeLessThanOrEqual(buffer + 1)
    })
  )

  it("is refused unless it is a positive whole number", () => {
    for (const buffer of [0, -1, 1.5, Number.NaN, "2"]) {
      const steps = { only: untyped.step({ accepts: Start, emits: Stop, buffer, run: () => stop() }) }
      expect(() => untyped.workflow({ name: "w", start: Start, stop: Stop, steps })).toThrow(
        /step 'only' has a buffer of .+: give a positive whole number/
      )
    }
  })
})

describe("a generator that continues because there is room", () => {
  it.effect("cancels only waiting work if that decides a race", () =>
    Effect.gen(function* () {
      const flow = workflow({
        name: "decides",
        start: Start,
        stop: Stop,
        steps: {
          many: defineStep({
            accepts: Start,
            emits: [Task, Done],
            run: function* () {
              for (let n = 0; n < 1_024; n++) yield Task({ n })
              yield Done({ n: -1 })
            }
          }),
          work: defineStep({ accepts: Task, emits: Done, run: () => {} }),
          first: defineStep({ accepts: race(Done), emits: Won, run: ({ n }) => Won({ n }) }),
          end: defineStep({ accepts: Won, emits: Stop, run: ({ n }) => Effect.as(Effect.sleep(20), stop(n)) })
        }
      })
      const trace = recorded()
      expect(yield* result(trace.record(run(flow)))).toEqual(stop(-1))
      const worked = trace.of("InvocationStarted").filter(({ step }) => step === "work")
      expect(worked.length + trace.of("EventDropped").length).toBe(1_024)
    })
  )
})

describe("two generators that fill each other's lanes", () => {
  const beside: Record<string, () => unknown> = {
    "nothing else": () => {},
    "a step that only waits": () => Effect.never,
    "a promise that never comes": () => new Promise(() => {}),
    "a retry that waits": () => Effect.sleep("1 day")
  }
  it.live.each(Object.entries(beside))("do not wait for each other forever, beside %s", ([, wait]) =>
    Effect.gen(function* () {
      let done = 0
      const flow = untyped.workflow({
        name: "circle",
        start: Start,
        stop: Stop,
        timeout: "4 seconds",
        steps: {
          wait: untyped.step({ accepts: Start, emits: [], run: wait }),
          begin: defineStep({ accepts: Start, emits: Task, run: () => Task({ n: 0 }) }),
          many: defineStep({
            accepts: Task,
            emits: Done,
            workers: 1,
            run: function* ({ n }) {
              for (let i = 0; i < 3_000; i++) yield Done({ n })
            }
          }),
          few: defineStep({
            accepts: Done,
            emits: [Task, Stop],
            workers: 1,
            run: function* ({ n }) {
              if (++done === 10_000) yield stop(done)
              for (let i = 0; i < 2; i++) yield Task({ n })
            }
          })
        }
      })
      expect(yield* run(flow)).toEqual(stop(10_000))
    })
  )
})
