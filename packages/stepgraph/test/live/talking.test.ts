import { describe, expect, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber, Schema, Stream } from "effect"
import { TestClock } from "effect/testing"
import { collect, defineEvent, defineStep, gather, join, launch, launchPromise, race, run, workflow } from "stepgraph"
import { ended } from "../support/virtual.ts"

const Draft = defineEvent("Draft", { text: Schema.String })
const Question = defineEvent("Question", { text: Schema.String })
const Approval = defineEvent("Approval", { by: Schema.String })
const Published = defineEvent("Published", { text: Schema.String })

/** Asks, waits for an answer, and goes on with it. */
const review = workflow({
  name: "review",
  start: Draft,
  stop: Published,
  inputs: [Approval],
  outputs: [Question],
  steps: {
    ask: defineStep({
      accepts: Draft,
      emits: Question,
      run: ({ text }) => Effect.as(Effect.sleep("1 second"), Question({ text: `Publish ${text}?` }))
    }),
    publish: defineStep({
      accepts: join([Draft, Approval]),
      emits: Published,
      run: ([{ text }, { by }]) => Published({ text: `${text}, approved by ${by}` })
    })
  }
})

const ada = Approval({ by: "Ada" })

describe("an input event", () => {
  it.effect("lets a waiting run continue", () =>
    Effect.gen(function* () {
      const live = yield* launch(review, { text: "News" })
      yield* TestClock.adjust("1 hour")
      yield* live.send(ada)
      expect(yield* live.result).toEqual({ _tag: "Published", text: "News, approved by Ada" })
    })
  )

  it.effect("is kept until a step waits for it", () =>
    Effect.gen(function* () {
      const Ready = defineEvent("Ready")
      const flow = workflow({
        name: "late",
        start: Draft,
        stop: Published,
        inputs: [Approval],
        steps: {
          prepare: defineStep({
            accepts: Draft,
            emits: Ready,
            run: () => Effect.as(Effect.sleep("1 minute"), Ready())
          }),
          publish: defineStep({
            accepts: join([Ready, Approval]),
            emits: Published,
            run: ([_, { by }]) => Published({ text: by })
          })
        }
      })
      const live = yield* launch(flow, { text: "News" })
      yield* live.send(ada)
      yield* TestClock.adjust("1 minute")
      expect((yield* live.result).text).toBe("Ada")
    })
  )

  it.effect("serves one round of a join: a second answer is kept for the next round", () =>
    Effect.gen(function* () {
      const flow = workflow({
        name: "pairs",
        start: Draft,
        stop: Published,
        inputs: [Draft, Approval],
        steps: {
          publish: defineStep({
            accepts: join([Draft, Approval]),
            emits: [Draft, Published],
            run: ([{ text }, { by }]) => (text === "last" ? Published({ text: by }) : Draft({ text: "last" }))
          })
        }
      })
      const live = yield* launch(flow, { text: "first" })
      yield* live.send(Approval({ by: "Ada" }))
      yield* live.send(Approval({ by: "Bob" }))
      expect((yield* live.result).text).toBe("Bob")
    })
  )

  it.effect("reaches its steps in the order sent", () =>
    Effect.gen(function* () {
      const flow = workflow({
        name: "three",
        start: Draft,
        stop: Published,
        inputs: [Approval],
        steps: {
          begin: defineStep({ accepts: Draft, emits: Approval, run: () => [] }),
          publish: defineStep({
            accepts: collect(Approval, 3),
            emits: Published,
            run: (all) => Published({ text: all.map(({ by }) => by).join("") })
          })
        }
      })
      const live = yield* launch(flow, { text: "" })
      for (const by of ["a", "b", "c"]) yield* live.send(Approval({ by }))
      expect((yield* live.result).text).toBe("abc")
    })
  )

  it.effect("that does not fit its schema is InvalidEvent, and disturbs nothing", () =>
    Effect.gen(function* () {
      const live = yield* launch(review, { text: "News" })
      const before = yield* live.status
      const error = yield* Effect.flip(live.send({ _tag: "Approval", by: 7 } as any))
      expect(error).toMatchObject({ _tag: "InvalidEvent", tag: "Approval", issue: expect.anything() })
      expect(error.message).toContain('"by"')
      expect(yield* live.status).toEqual(before)
      yield* live.send(ada)
      expect((yield* live.result).text).toBe("News, approved by Ada")
    })
  )

  it.effect.each([
    ["an event of the workflow that is no input", Draft({ text: "Other" }) as unknown],
    ["an event that it does not know", { _tag: "Hacked" }],
    ["a tag that every object has", { _tag: "constructor" }],
    ["a text", "Approval"],
    ["nothing", undefined],
    ["null", null]
  ])("that is %s is InvalidEvent and says what the inputs are", ([_, event]) =>
    Effect.gen(function* () {
      const live = yield* launch(review, { text: "News" })
      const error = yield* Effect.flip(live.send(event as any))
      expect(error._tag).toBe("InvalidEvent")
      expect(error.message).toContain("it is not an input of workflow 'review', whose inputs are 'Approval'")
      yield* live.send(ada)
      expect((yield* live.result)._tag).toBe("Published")
    })
  )

  it.effect("that was already checked when it was made need not be frozen", () =>
    Effect.gen(function* () {
      const live = yield* launch(review, { text: "News" })
      yield* live.send({ _tag: "Approval", by: "a literal" })
      expect((yield* live.result).text).toBe("News, approved by a literal")
    })
  )

  it.effect("sent after the end is RunEnded, which names the workflow and the event", () =>
    Effect.gen(function* () {
      const live = yield* launch(review, { text: "News" })
      yield* live.send(ada)
      yield* live.result
      const error = yield* Effect.flip(live.send(ada))
      expect(error).toMatchObject({ _tag: "RunEnded", workflow: "review", event: ada })
      expect(error.message).toContain('Approval {"by":"Ada"}')
    })
  )

  it.effect("sent while the run is ending is RunEnded", () =>
    Effect.gen(function* () {
      const begun = yield* Deferred.make<void>()
      const flow = workflow({
        name: "slow to end",
        start: Draft,
        stop: Published,
        inputs: [Approval],
        steps: {
          hang: defineStep({
            accepts: Draft,
            emits: Published,
            run: () =>
              Effect.onInterrupt(Effect.sleep("1 day"), () =>
                Effect.andThen(Deferred.done(begun, Exit.void), Effect.sleep(100))
              )
          }),
          publish: defineStep({ accepts: Approval, emits: Published, run: ({ by }) => Published({ text: by }) })
        }
      })
      const live = yield* launch(flow, { text: "" })
      yield* live.send(ada)
      yield* Deferred.await(begun)
      expect((yield* live.status).state).toBe("ending")
      expect((yield* Effect.flip(live.send(ada)))._tag).toBe("RunEnded")
      yield* TestClock.adjust(100)
      expect((yield* live.result).text).toBe("Ada")
    })
  )

  it.effect("sent after closeInputs is RunEnded, although the run continues", () =>
    Effect.gen(function* () {
      const flow = workflow({
        name: "closed",
        start: Draft,
        stop: Published,
        inputs: [Approval],
        steps: {
          slow: defineStep({
            accepts: Draft,
            emits: Published,
            run: ({ text }) => Effect.as(Effect.sleep(100), Published({ text }))
          }),
          ignore: defineStep({ accepts: Approval, emits: [], run: () => {} })
        }
      })
      const live = yield* launch(flow, { text: "News" })
      yield* live.closeInputs
      yield* live.closeInputs
      expect((yield* Effect.flip(live.send(ada)))._tag).toBe("RunEnded")
      yield* TestClock.adjust(100)
      expect((yield* live.result).text).toBe("News")
    })
  )
})

describe("a run that waits for an input", () => {
  it.effect("is not stalled while inputs are open, and reports the events it waits for", () =>
    Effect.gen(function* () {
      const live = yield* launch(review, { text: "News" })
      yield* TestClock.adjust("1 hour")
      expect(yield* live.status).toEqual({
        state: "running",
        inputs: "open",
        steps: { ask: { queued: 0, running: 0 }, publish: { queued: 0, running: 0 } },
        questions: [],
        waiting: [
          {
            step: "publish",
            intake: "join([Draft, Approval])",
            per: undefined,
            key: undefined,
            has: { Draft: 1 },
            needs: { Approval: 1 }
          }
        ]
      })
    })
  )

  it.effect("stalls at once when they are closed, and names the events it waited for", () =>
    Effect.gen(function* () {
      const live = yield* launch(review, { text: "News" })
      yield* TestClock.adjust("1 second")
      yield* live.closeInputs
      const error = yield* Effect.flip(live.result)
      expect(error._tag).toBe("WorkflowStalled")
      expect(error.message).toContain("step 'publish' waits for join([Draft, Approval]): has 1 Draft, needs 1 Approval")
    })
  )

  it.effect("stalls only after the work in progress when they were closed", () =>
    Effect.gen(function* () {
      const live = yield* launch(review, { text: "News" })
      yield* live.closeInputs
      expect(yield* live.status).toMatchObject({ state: "running", inputs: "closed" })
      yield* TestClock.adjust("1 second")
      expect((yield* Effect.flip(live.result))._tag).toBe("WorkflowStalled")
    })
  )

  it.effect("keeps a gather that inputs lead to until they are closed", () =>
    Effect.gen(function* () {
      const flow = workflow({
        name: "guests",
        start: Draft,
        stop: Published,
        inputs: [Approval],
        steps: {
          begin: defineStep({ accepts: Draft, emits: Approval, run: () => Approval({ by: "host" }) }),
          all: defineStep({
            accepts: gather(Approval),
            emits: Published,
            run: (all) => Published({ text: all.map(({ by }) => by).join(", ") })
          })
        }
      })
      const live = yield* launch(flow, { text: "" })
      yield* live.send(ada)
      yield* TestClock.adjust("1 hour")
      expect((yield* live.status).state).toBe("running")
      yield* live.send(Approval({ by: "Bob" }))
      yield* live.closeInputs
      expect((yield* live.result).text).toBe("host, Ada, Bob")
    })
  )

  it.effect("runs a gather and a race with nothing if they are closed before any input came", () =>
    Effect.gen(function* () {
      const Counted = defineEvent("Counted", { of: Schema.Number })
      const flow = workflow({
        name: "guests",
        start: Draft,
        stop: Published,
        inputs: [Approval],
        steps: {
          begin: defineStep({ accepts: Draft, emits: [], run: () => {} }),
          all: defineStep({
            accepts: gather(Approval),
            emits: Counted,
            run: (all) => Counted({ of: all.length })
          }),
          two: defineStep({
            accepts: race(Approval, { take: 2 }),
            emits: Counted,
            run: (two) => Counted({ of: two.length })
          }),
          end: defineStep({
            accepts: collect(Counted, 2),
            emits: Published,
            run: (counted) => Published({ text: counted.map(({ of }) => of).join() })
          })
        }
      })
      const live = yield* launch(flow, { text: "" })
      yield* TestClock.adjust("1 hour")
      expect((yield* live.status).state).toBe("running")
      yield* live.closeInputs
      expect((yield* live.result).text).toBe("0,0")
    })
  )

  it.effect("is ended by the workflow's timeout, which names the events it waited for", () =>
    Effect.gen(function* () {
      const limited = workflow({ ...review, timeout: "1 day" })
      const live = yield* launch(limited, { text: "News" })
      const reader = yield* Effect.forkChild(Effect.flip(Stream.runDrain(live.events)), { startImmediately: true })
      yield* TestClock.adjust("23 hours")
      expect((yield* live.status).state).toBe("running")
      yield* TestClock.adjust("1 hour")
      for (const error of [yield* Effect.flip(live.result), yield* Fiber.join(reader)]) {
        expect(error._tag).toBe("WorkflowTimedOut")
        expect(error.message).toContain(
          "step 'publish' waits for join([Draft, Approval]): has 1 Draft, needs 1 Approval"
        )
      }
      expect((yield* Effect.flip(live.send(ada)))._tag).toBe("RunEnded")
    })
  )

  it.effect("stalls at once without declared inputs: there is nothing to wait for", () =>
    Effect.gen(function* () {
      const flow = workflow({
        name: "dead end",
        start: Draft,
        stop: Published,
        steps: { drop: defineStep({ accepts: Draft, emits: Published, run: () => {} }) }
      })
      const live = yield* launch(flow, { text: "" })
      expect((yield* Effect.flip(live.result))._tag).toBe("WorkflowStalled")
    })
  )

  it.effect("never waits if started by `run` rather than `launch`: nothing could be sent", () =>
    Effect.gen(function* () {
      const exit = yield* ended(run(review, { text: "News" }))
      expect(Exit.isFailure(exit)).toBe(true)
    })
  )
})

describe("the handle of a run", () => {
  it.effect("interrupts it, and waits for its finalizers", () =>
    Effect.gen(function* () {
      const log: Array<string> = []
      const flow = workflow({
        name: "hanging",
        start: Draft,
        stop: Published,
        steps: {
          hang: defineStep({
            accepts: Draft,
            emits: Published,
            run: () =>
              Effect.onInterrupt(Effect.sleep("1 day"), () =>
                Effect.andThen(
                  Effect.sleep("1 second"),
                  Effect.sync(() => log.push("finalized"))
                )
              )
          })
        }
      })
      const live = yield* launch(flow, { text: "" })
      const interrupting = yield* Effect.forkChild(live.interrupt, { startImmediately: true })
      yield* TestClock.adjust(999)
      expect(log).toEqual([])
      yield* TestClock.adjust(1)
      yield* Fiber.join(interrupting)
      expect(log).toEqual(["finalized"])
      expect(yield* live.status).toMatchObject({ state: "ended", inputs: "closed", waiting: [] })
      expect(Exit.hasInterrupts(yield* Effect.exit(live.result))).toBe(true)
      yield* live.interrupt
    })
  )

  it.effect("ends its run when its scope is closed", () =>
    Effect.gen(function* () {
      const live = yield* Effect.scoped(launch(review, { text: "News" }))
      expect((yield* live.status).state).toBe("ended")
      expect((yield* Effect.flip(live.send(ada)))._tag).toBe("RunEnded")
    })
  )

  it.effect("is not returned if the input does not fit the start event", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(launch(review, { text: 7 } as any))
      expect(error).toMatchObject({ _tag: "InvalidEvent", tag: "Draft" })
    })
  )

  it.effect("reports the work of each step", () =>
    Effect.gen(function* () {
      const Page = defineEvent("Page", { n: Schema.Number })
      const flow = workflow({
        name: "pages",
        start: Draft,
        stop: Published,
        steps: {
          split: defineStep({
            accepts: Draft,
            emits: Page,
            run: () => Array.from({ length: 10 }, (_, n) => Page({ n }))
          }),
          print: defineStep({ accepts: Page, emits: Published, workers: 3, run: () => Effect.sleep("1 second") })
        }
      })
      const live = yield* launch(flow, { text: "" })
      expect((yield* live.status).steps.print).toEqual({ queued: 7, running: 3 })
      yield* TestClock.adjust("1 second")
      expect((yield* live.status).steps.print).toEqual({ queued: 4, running: 3 })
    })
  )

  it.effect("has the id that the run's steps see", () =>
    Effect.gen(function* () {
      const flow = workflow({
        name: "id",
        start: Draft,
        stop: Published,
        steps: {
          tell: defineStep({ accepts: Draft, emits: Published, run: (_, ctx) => Published({ text: ctx.runId }) })
        }
      })
      const live = yield* launch(flow, { text: "" })
      expect((yield* live.result).text).toBe(live.id)
    })
  )
})

describe("launchPromise", () => {
  it("talks and listens with promises", async () => {
    const live = await launchPromise(review, { text: "News" })
    const heard: Array<string> = []
    for await (const event of live.events) {
      heard.push(event._tag)
      if (event._tag === "Question") await live.send(ada)
    }
    expect(heard).toEqual(["Question", "Published"])
    expect((await live.result).text).toBe("News, approved by Ada")
    expect((await live.status()).state).toBe("ended")
  })

  it("rejects with the typed errors", async () => {
    await expect(launchPromise(review, { text: 7 } as any)).rejects.toMatchObject({ _tag: "InvalidEvent" })
    const live = await launchPromise(review, { text: "News" })
    await expect(live.send({ _tag: "Nope" } as any)).rejects.toMatchObject({ _tag: "InvalidEvent" })
    await live.interrupt()
    await expect(live.send(ada)).rejects.toMatchObject({ _tag: "RunEnded" })
    await expect(live.result).rejects.toMatchObject({ name: "AbortError" })
  })

  it("rejects when the inputs are closed, and throws in the iteration", async () => {
    const live = await launchPromise(review, { text: "News" })
    await live.closeInputs()
    await expect(live.result).rejects.toMatchObject({ _tag: "WorkflowStalled" })
    const iterating = (async () => {
      for await (const _ of live.events);
    })()
    await expect(iterating).rejects.toMatchObject({ _tag: "WorkflowStalled" })
  })

  it("is interrupted by its signal, with the signal's reason, once its finalizers have ended", async () => {
    const log: Array<string> = []
    const flow = workflow({
      name: "hanging",
      start: Draft,
      stop: Published,
      steps: {
        hang: defineStep({
          accepts: Draft,
          emits: Published,
          run: () =>
            Effect.onInterrupt(Effect.never, () =>
              Effect.andThen(
                Effect.sleep(5),
                Effect.sync(() => log.push("finalized"))
              )
            )
        })
      }
    })
    const controller = new AbortController()
    const live = await launchPromise(flow, { text: "" }, { signal: controller.signal })
    controller.abort(new Error("enough"))
    await expect(live.result).rejects.toThrow("enough")
    expect(log).toEqual(["finalized"])
    await expect(launchPromise(flow, { text: "" }, { signal: controller.signal })).rejects.toThrow("enough")
    expect(log).toEqual(["finalized"])
  })

  it("is interrupted when its handle is disposed of", async () => {
    const live = await launchPromise(review, { text: "News" })
    {
      await using held = live
      expect((await held.status()).state).toBe("running")
    }
    expect((await live.status()).state).toBe("ended")
  })
})
