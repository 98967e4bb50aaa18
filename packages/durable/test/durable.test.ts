// Durable runs end as they would have ended, whenever and however often their process has died.
import { Effect, Exit, Layer, Schema, Stream } from "effect"
import { defineEvent, defineLimit, defineStep, gather, InvalidEvent, join, RunEnded, run, workflow } from "stepgraph"
import { afterAll, describe, expect, it } from "vitest"
import { z } from "zod"
import {
  durable,
  GraphChanged,
  HistoryDiverged,
  layerStore,
  NotStorable,
  openDurable,
  RunIdTaken,
  RunInterrupted,
  RunKeepsCrashing,
  type Store,
  StoredError,
  UnknownRun
} from "../src/index.ts"
import { Approval, everything, Flaky, type World } from "./support/flows.ts"
import { inStore, makeStores, opened } from "./support/stores.ts"

const { remove, stores } = await makeStores()
afterAll(remove)

const quiet: World = { called: () => {}, nap: () => 0 }
const until = async (holds: () => boolean | Promise<boolean>) => {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 2))
}

const Go = defineEvent("Go", { n: Schema.Number })
const End = defineEvent("End", { n: Schema.Number })
const oneStep = (run: (event: { readonly n: number }, ctx: any) => any, name = "one", more: object = {}) =>
  workflow({
    name,
    start: Go,
    stop: End,
    steps: { step: defineStep({ accepts: Go, emits: End, run, ...more } as any) }
  } as any) as any

describe.each(Object.entries(stores))("on %s", (name, store) => {
  it("runs to the end, once for each id, and lists and forgets what has ended", async () => {
    const called: Array<string> = []
    const one = durable(
      oneStep(async ({ n }, { runId }) => {
        called.push(runId)
        return End({ n: n + 1 })
      })
    )
    const other = durable(oneStep(({ n }) => End({ n }), "other"))
    await using runs = await opened(store(), [one, other])
    const run = await runs.start(one, "a", { n: 1 })
    expect(await run.result).toEqual({ _tag: "End", n: 2 })
    expect(await (await runs.start(one, "a", { n: 5 })).result).toEqual({ _tag: "End", n: 2 })
    expect(called).toEqual(["a"])
    expect(await run.poll()).toEqual(Exit.succeed({ _tag: "End", n: 2 }))
    expect((await run.status()).state).toBe("ended")
    await runs.start(one, "b", { n: 2 })
    await until(async () => (await runs.list({ state: "succeeded" })).length === 2)
    expect((await runs.list()).map(({ id, workflow }) => [id, workflow])).toEqual([
      ["b", "one"],
      ["a", "one"]
    ])
    await expect(runs.start(other, "a", { n: 1 })).rejects.toThrow(
      new RunIdTaken({ run: "a", workflow: "other", of: "one" })
    )
    await expect(runs.run(one, "c").result).rejects.toThrow(new UnknownRun({ run: "c" }))
    expect(await run.forget()).toBe(true)
    expect(await run.forget()).toBe(false)
    await expect(run.status()).rejects.toThrow(UnknownRun)
  })

  it("gives each step what it would have had, with retries, state, a race, a deadline and inputs", async () => {
    await using runs = await opened(store(), [durable(everything(quiet), { errors: [Flaky] })])
    const flow = durable(everything(quiet), { errors: [Flaky] })
    const run = await runs.start(flow, "a", { n: 7 })
    await run.send(Approval({ by: "Ada" }), { key: "1" })
    await run.send(Approval({ by: "nobody" }), { key: "1" })
    await run.send(Approval({ by: "Bob" }), { key: "2" })
    expect(await run.result).toMatchObject({ sum: 63, by: ["Ada", "Bob"] })
    const seen: Array<any> = []
    for await (const event of run.events({ from: 2 })) seen.push(event)
    expect(seen.map(({ _tag }) => _tag)).toEqual([...Array.from({ length: 5 }, () => "Progress"), "Stop"])
    const trace = await run.trace()
    expect(trace[0]).toMatchObject({ _tag: "RunStarted" })
    await expect(run.send(Approval({ by: "Eve" }))).rejects.toThrow(RunEnded)
    // Once more with the same key: it was sent.
    await run.send(Approval({ by: "Bob" }), { key: "2" })
  })

  it("takes no event after its inputs are closed or it has ended, or where it has no inputs", async () => {
    const flow = durable(everything(quiet), { errors: [Flaky] })
    const one = durable(oneStep(({ n }) => End({ n })))
    await using runs = await opened(store(), [flow, one])
    const run = await runs.start(flow, "a", { n: 1 })
    await run.send(Approval({ by: "Ada" }), { key: "1" })
    await run.closeInputs()
    await run.closeInputs()
    const late = Approval({ by: "Bob" })
    await expect(run.send(late)).rejects.toThrow(new RunEnded({ workflow: "everything", event: late }))
    // It was sent before.
    await run.send(Approval({ by: "Ada" }), { key: "1" })
    // The second approval cannot come any more.
    await expect(run.result).rejects.toMatchObject({ _tag: "WorkflowStalled" })
    await run.closeInputs()
    await expect(run.send(late)).rejects.toThrow(RunEnded)
    await expect(runs.run(flow, "nobody").send(late)).rejects.toThrow(new UnknownRun({ run: "nobody" }))
    await expect(runs.run(flow, "nobody").closeInputs()).rejects.toThrow(UnknownRun)
    await expect(runs.run(flow, "nobody").resume()).rejects.toThrow(UnknownRun)
    const other = await runs.start(one, "b", { n: 1 })
    await other.closeInputs()
    await expect(other.send(late as never)).rejects.toThrow(InvalidEvent)
    await expect(other.send(late as never)).rejects.toThrow("it is not an input of workflow 'one', which has none")
    expect(await other.result).toEqual({ _tag: "End", n: 1 })
  })

  it("forgets runs that ended before a time, or by its policy, and none that lives", async () => {
    const one = durable(oneStep(({ n }) => (n === 0 ? Effect.never : n === 1 ? Effect.die("no") : End({ n }))))
    const at = store()
    await using runs = await opened(at, [one])
    for (const n of [0, 1, 2, 3]) await (await runs.start(one, `run ${n}`, { n })).poll()
    await until(async () => (await runs.list({ state: "active" })).length === 1)
    expect(await runs.forget({ endedBefore: new Date(0) })).toBe(0)
    const endedBefore = new Date(Date.now() + 1000)
    expect(await runs.forget({ endedBefore, state: "failed" })).toBe(1)
    expect(await runs.forget({ endedBefore, workflow: "two" })).toBe(0)
    const rest = async () => (await runs.list()).map(({ id }) => id).sort()
    expect(await rest()).toEqual(["run 0", "run 2", "run 3"])
    await expect(runs.forget({ endedBefore: "today" as never })).rejects.toThrow(
      "forget: endedBefore must be a Date, not"
    )
    await expect(runs.list({ limit: 0 })).rejects.toThrow("list: limit is 0: give a whole number")
    await expect(runs.list({ stat: "failed" } as never)).rejects.toThrow("stat")
    const retention = "50 millis"
    {
      await using _other = await opened(at, [one], { retention })
      await until(async () => (await runs.list()).length === 1)
    }
    expect(await rest()).toEqual(["run 0"])
    await expect(opened(store(), [one], { retention: "-1 days" })).rejects.toThrow(
      'retention is "-1 days": give a time such as "30 days", or leave it out'
    )
  })

  it("retries a plain function that throws after something was stored", async () => {
    let calls = 0
    const Middle = defineEvent("Middle", { n: Schema.Number })
    const one = defineStep({ accepts: Go, emits: Middle, run: ({ n }) => Middle({ n }) })
    const two = defineStep({
      accepts: Middle,
      emits: End,
      retry: { times: 2 },
      run: ({ n }) => {
        if (++calls < 3) throw new Error("busy")
        return End({ n })
      }
    })
    const flow = durable(workflow({ name: "plain", start: Go, stop: End, steps: { one, two } }))
    await using runs = await opened(store(), [flow])
    expect(await (await runs.start(flow, "a", { n: 1 })).result).toMatchObject({ n: 1 })
    expect(calls).toBe(3)
  })

  it("goes on from any entry of its journal to the same answer, and from the whole without a call", async () => {
    const called: Array<string> = []
    let naps = 0
    const flow = durable(
      everything({ called: (what) => called.push(what), nap: (what) => (what === "bid 2" ? 0 : 1 + (naps++ % 3)) }),
      { errors: [Flaky] }
    )
    const first = store()
    const input = { n: 5 }
    const finish = async (to: Layer.Layer<Store>, id: string) => {
      await using runs = await opened(to, [flow])
      const run = await runs.start(flow, id, input)
      await run.send(Approval({ by: "Ada" }), { key: "1" })
      await run.send(Approval({ by: "Bob" }), { key: "2" })
      return await run.result
    }
    const answer = await finish(first, "a")
    const entries = (await inStore(first, (store) => store.load("a"))).flatMap(({ entries }) => entries)
    expect(entries.length).toBeGreaterThan(20)
    const settled = (of: ReadonlyArray<any>) => of.flatMap(({ i, n = 1 }) => (i === undefined ? [] : [`${i} ${n}`]))
    const { key } = flow["~definition"]
    const start = { _tag: "Start", n: 5 }
    // Opening a file takes longer than all of the rest.
    const step = name === "memory" ? 1 : Math.ceil(entries.length / 6)
    for (
      let cut = 0;
      cut <= entries.length;
      cut = cut === entries.length ? cut + 1 : Math.min(cut + step, entries.length)
    ) {
      const again = store()
      await inStore(again, (store) =>
        Effect.gen(function* () {
          yield* store.create({ id: "a", start, ...key }, "dead")
          if (cut > 0) yield* store.append("a", 1, 0, entries.slice(0, cut))
          yield* store.beat("dead", -1)
          for (const [i, by] of ["Ada", "Bob"].entries()) {
            yield* store.send("a", String(i + 1), { _tag: "event", event: { _tag: "Approval", by } })
          }
        })
      )
      called.length = 0
      const { winner, ...rest } = (await finish(again, "a")) as any
      // The race may be run again, as long as nobody has won it.
      expect({ ...rest, winner: cut === entries.length ? winner : answer.winner }, `cut at ${cut}`).toEqual(answer)
      const after = (await inStore(again, (store) => store.load("a"))).flatMap(({ entries }) => entries)
      expect(after.slice(0, cut)).toEqual(entries.slice(0, cut))
      expect(new Set(settled(after)).size).toBe(settled(after).length)
      if (cut === entries.length) expect(called).toEqual([])
    }
  })

  it("waits outside of the memory, for a message or a time", async () => {
    const flow = durable(everything(quiet), { errors: [Flaky] })
    const at = store()
    await using runs = await opened(at, [flow], { warm: 0 })
    const run = await runs.start(flow, "a", { n: 2 })
    await until(() => inStore(at, (store) => Effect.map(store.get("a"), (run) => run?.owner === undefined)))
    expect((await run.status()).waiting).toMatchObject([{ step: "end", has: { Summed: 1, Won2: 1 } }])
    await run.send(Approval({ by: "Ada" }))
    await run.send(Approval({ by: "Bob" }))
    expect(await run.result).toMatchObject({ by: ["Ada", "Bob"] })
  })

  it("waits for a limit in line with the calls of its own run and of others, in memory", async () => {
    const model = defineLimit("model", { concurrent: 1 })
    const call = async ({ n }: { readonly n: number }) => {
      await new Promise((resolve) => setTimeout(resolve, 20))
      return End({ n })
    }
    const one = durable(oneStep(call, "one", { limit: model }))
    await using runs = await opened(store(), [one], { warm: 0 })
    const ids = ["a", "b", "c", "d"]
    const all = await Promise.all(ids.map((id, n) => runs.start(one, id, { n })))
    expect(await Promise.all(all.map(({ result }) => result))).toEqual(ids.map((_, n) => ({ _tag: "End", n })))
  })

  it("takes no turn of a limit for a call that is in its journal", async () => {
    const Task = defineEvent("Task", { n: Schema.Number })
    const Done = defineEvent("Done", { n: Schema.Number })
    const All = defineEvent("All", { n: Schema.Number })
    const model = defineLimit("model", { concurrent: 1, times: 3, per: "1 hour" })
    let calls = 0
    const flow = durable(
      workflow({
        name: "limited",
        start: Go,
        stop: End,
        inputs: [Approval],
        steps: {
          list: defineStep({
            accepts: Go,
            emits: Task,
            run: ({ n }) => Array.from({ length: n }, (_, n) => Task({ n }))
          }),
          work: defineStep({
            accepts: Task,
            emits: Done,
            limit: model,
            retry: { times: 1 },
            run: async ({ n }) => {
              calls++
              return Done({ n })
            }
          }),
          all: defineStep({ accepts: gather(Done), emits: All, run: (all) => All({ n: all.length }) }),
          end: defineStep({
            accepts: join([All, Approval]),
            emits: End,
            run: ([{ n }]) => End({ n })
          })
        }
      })
    )
    const at = store()
    const first = await opened(at, [flow])
    const { status } = await first.start(flow, "a", { n: 3 })
    await until(async () => (await status()).waiting[0]?.has.All === 1)
    await first.close()
    await using second = await opened(at, [flow])
    const run = second.run(flow, "a")
    expect((await run.status()).waiting).toMatchObject([{ step: "end", has: { All: 1 } }])
    await run.send(Approval({ by: "Ada" }))
    expect(await run.result).toEqual({ _tag: "End", n: 3 })
    expect(calls).toBe(3)
  })

  it("is interrupted for good, from any process", async () => {
    const ended: Array<string> = []
    const one = durable(
      oneStep(() => Effect.onInterrupt(Effect.never, () => Effect.sync(() => void ended.push("finalizer"))))
    )
    const at = store()
    await using here = await opened(at, [one])
    await here.start(one, "a", { n: 1 })
    await using there = await opened(at, [one])
    const run = there.run(one, "a")
    await run.interrupt()
    expect(ended).toEqual(["finalizer"])
    await expect(run.result).rejects.toThrow(new RunInterrupted({ run: "a", workflow: "one" }))
    expect((await there.list())[0]!.state).toBe("interrupted")
  })

  it("is given back when its process closes, and goes on in the next", async () => {
    let calls = 0
    const one = durable(
      oneStep(({ n }) => Effect.suspend(() => (++calls === 1 ? Effect.never : Effect.as(Effect.sleep(1), End({ n })))))
    )
    const at = store()
    const first = await opened(at, [one])
    await first.start(one, "a", { n: 1 })
    await first.close()
    await using second = await opened(at, [one])
    expect(await second.run(one, "a").result).toEqual({ _tag: "End", n: 1 })
    expect(calls).toBe(2)
  })

  it("fails with its typed errors, and with all others as data", async () => {
    const one = durable(
      oneStep(({ n }) =>
        n === 1
          ? Effect.fail(new Flaky({ n }))
          : n === 2
            ? Effect.fail(Object.assign(new Error("not known"), { _tag: "Odd" }))
            : Promise.reject(new RangeError("too far"))
      ),
      { errors: [Flaky] }
    )
    await using runs = await opened(store(), [one])
    const failure = async (n: number) =>
      (await runs.start(one, `run ${n}`, { n })).result.catch((error: unknown) => error)
    expect(await failure(1)).toBeInstanceOf(Flaky)
    const odd: any = await failure(2)
    expect(odd).toBeInstanceOf(StoredError)
    expect([odd._tag, odd.name, odd.message]).toEqual(["Odd", "Error", "not known"])
    expect(await failure(3)).toMatchObject({ _tag: "StepRejected", step: "step" })
  })

  it("gives a failure as data whose schema has changed since", async () => {
    class Before extends Schema.TaggedError<Before>("Refused")("Refused", { message: Schema.String }) {}
    class Now extends Schema.TaggedError<Now>("Refused")("Refused", { message: Schema.String, by: Schema.String }) {}
    const run = () => Effect.fail(new Before({ message: "too much" }))
    const at = store()
    const one = durable(oneStep(run), { errors: [Before] })
    const before = await opened(at, [one])
    expect(await (await before.start(one, "a", { n: 1 })).result.catch((error) => error)).toBeInstanceOf(Before)
    await before.close()
    const later = durable(oneStep(run), { errors: [Now] })
    await using runs = await opened(at, [later])
    const error: any = await runs.run(later, "a").result.catch((error) => error)
    expect(error).toBeInstanceOf(StoredError)
    expect(error).toMatchObject({ name: "Refused", _tag: "Refused", message: "too much" })
    expect((await runs.run(later, "a").trace()).at(-1)).toMatchObject({ _tag: "RunFinished" })
  })

  it("refuses names that a database would change or refuse", async () => {
    const flow = durable(everything(quiet), { errors: [Flaky] })
    await using runs = await opened(store(), [flow])
    const named = "must be text without NUL and without half of a surrogate pair, not"
    await expect(runs.start(flow, "a\0b", { n: 1 })).rejects.toThrow(`the id of a run ${named} "a\\u0000b"`)
    await expect(runs.start(flow, "\ud800", { n: 1 })).rejects.toThrow(named)
    const run = await runs.start(flow, "🐝", { n: 1 })
    await expect(run.send(Approval({ by: "Ada" }), { key: "\0" })).rejects.toThrow(`the key of a message ${named}`)
    await expect(runs.stored("🐝").send(Approval({ by: "Ada" }), { key: "\0" })).rejects.toThrow(named)
    expect(() => runs.stored("\0")).toThrow(named)
    expect(() => durable(everything(quiet), { version: "\0" })).toThrow(`durable: a version ${named}`)
    await run.interrupt()
  })

  it("refuses a changed graph, and goes on with the old one beside the new", async () => {
    const at = store()
    const Other = defineEvent("Other")
    const old = join([Go, Other])
    const before = workflow({
      name: "versions",
      start: Go,
      stop: End,
      inputs: [Other],
      steps: { step: defineStep({ accepts: old, emits: End, run: ([{ n }]) => End({ n }) }) }
    })
    const after = workflow({
      name: "versions",
      start: Go,
      stop: End,
      inputs: [Other],
      steps: { renamed: defineStep({ accepts: old, emits: End, run: ([{ n }]) => End({ n: n + 1 }) }) }
    })
    const first = durable(before)
    const a = await opened(at, [first])
    await a.start(first, "a", { n: 1 })
    await a.close()
    const changed = durable(after)
    const b = await opened(at, [changed])
    await expect(b.run(changed, "a").result).rejects.toThrow(
      new GraphChanged({
        run: "a",
        workflow: "versions",
        version: "1",
        changes: ["step 'step' is gone", "step 'renamed' is new"]
      })
    )
    await b.close()
    const next = durable(after, { version: "2" })
    await using c = await opened(at, [first, next])
    await c.run(first, "a").send(Other())
    expect(await c.run(first, "a").result).toMatchObject({ n: 1 })
    const run = await c.start(next, "b", { n: 1 })
    await run.send(Other())
    expect(await run.result).toMatchObject({ n: 2 })
  })

  it("says what has changed in a graph", async () => {
    const at = store()
    const Other = defineEvent("Other", { by: Schema.String })
    const Middle = defineEvent("Middle", { n: Schema.Number })
    const flowOf = (more: object, intake: any, steps: object = {}, other: any = Other) =>
      workflow({
        name: "versions",
        start: Go,
        stop: End,
        inputs: [other],
        steps: {
          step: defineStep({ accepts: intake, emits: End, run: () => End({ n: 1 }), ...more } as any),
          ...steps
        }
      } as any) as any
    const before = durable(flowOf({}, join([Go, Other])))
    {
      await using runs = await opened(at, [before])
      await runs.start(before, "a", { n: 1 })
    }
    const changes = async (flow: any) => {
      const changed = durable(flow)
      await using runs = await opened(at, [changed])
      const error: GraphChanged = await runs.run(changed, "a").result.then(
        () => expect.fail("it went on"),
        (error) => error
      )
      expect(error).toBeInstanceOf(GraphChanged)
      for (const change of error.changes) expect(error.message).toContain(change)
      await expect(runs.run(changed, "a").status()).rejects.toThrow(error.message)
      return error.changes
    }
    const Wider = defineEvent("Other", { by: Schema.String, at: Schema.Number })
    expect(await changes(flowOf({ workers: 2 }, join([Go, Other])))).toEqual(["step 'step' has workers 2, not 4"])
    expect(await changes(flowOf({}, join([Go, Other, Other])))).toEqual([
      "step 'step' takes join([Go, Other, Other]), not join([Go, Other])"
    ])
    expect(await changes(flowOf({}, join([Go, Wider]), {}, Wider))).toEqual([
      "event 'Other' has another schema, in 'at'"
    ])
    const more = {
      more: defineStep({ accepts: Go, emits: Middle, run: ({ n }) => Middle({ n }) }),
      last: defineStep({ accepts: Middle, emits: [], run: () => {} })
    }
    expect(await changes(flowOf({}, join([Go, Other]), more))).toEqual([
      "step 'more' is new",
      "step 'last' is new",
      "event 'Middle' is new"
    ])
    const speaks = { emits: [End, Middle], asks: Other, timeout: "1 minute" }
    expect(await changes(flowOf(speaks, join([Go, Other]), { last: more.last }))).toEqual([
      "step 'step' emits 'End', 'Middle', not 'End'",
      "step 'step' has asks 'Other', not nothing",
      "step 'step' has timeout 1m, not none",
      "step 'last' is new",
      "event 'Middle' is new"
    ])
  })

  it("leaves the runs of a version that a process does not have to others, while two are deployed", async () => {
    const at = store()
    const Other = defineEvent("Other")
    const flowOf = (name: string, add: number) =>
      workflow({
        name: "versions",
        start: Go,
        stop: End,
        inputs: [Other],
        steps: {
          [name]: defineStep({ accepts: join([Go, Other]), emits: End, run: ([{ n }]) => End({ n: n + add }) })
        }
      } as any) as any
    const one = durable(flowOf("old", 1))
    const two = durable(flowOf("new", 2), { version: "2" })
    const a = await opened(at, [one])
    await using b = await opened(at, [one, two])
    await using onlyTwo = await opened(at, [two])
    for (const id of ["1a", "1b", "1c"]) await a.start(one, id, { n: 1 })
    for (const id of ["2a", "2b"]) await b.start(two, id, { n: 1 })
    await onlyTwo.start(two, "2c", { n: 1 })
    await a.close()
    for (const id of ["1a", "1b", "1c"]) await onlyTwo.run(one, id).send(Other())
    for (const id of ["2a", "2b", "2c"]) await b.run(two, id).send(Other())
    for (const id of ["1a", "1b", "1c"]) expect(await b.run(one, id).result).toMatchObject({ n: 2 })
    for (const id of ["2a", "2b", "2c"]) expect(await onlyTwo.run(two, id).result).toMatchObject({ n: 3 })
  })

  it("takes over what a process had that falls silent, with nobody else there", async () => {
    const one = durable(oneStep(({ n }) => End({ n })))
    const at = store()
    const { key } = one["~definition"]
    await inStore(at, (store) =>
      Effect.andThen(
        store.create({ id: "a", start: { _tag: "Go", n: 1 }, ...key }, "elsewhere/1/gone"),
        store.beat("elsewhere/1/gone", 600)
      )
    )
    await using runs = await opened(at, [one], { lease: 400 })
    expect(await runs.run(one, "a").result).toEqual({ _tag: "End", n: 1 })
  })

  it("stops where its journal has something that the graph does not lead to", async () => {
    const one = durable(oneStep(({ n }) => End({ n })))
    const at = store()
    const { key } = one["~definition"]
    await inStore(at, (store) =>
      Effect.gen(function* () {
        yield* store.create({ id: "a", start: { _tag: "Go", n: 1 }, ...key }, "dead")
        yield* store.append("a", 1, 0, [{ i: "step#nothing", e: [{ _tag: "End", n: 1 }] }])
        yield* store.beat("dead", -1)
      })
    )
    await using runs = await opened(at, [one])
    await expect(runs.run(one, "a").result).rejects.toThrow(
      new HistoryDiverged({ run: "a", workflow: "one", entry: 0, what: "the end of call 'step#nothing'" })
    )
    expect((await runs.list())[0]!.state).toBe("stuck")
    // It may also end for good.
    const run = runs.run(one, "a")
    expect(await run.forget()).toBe(false)
    await run.interrupt()
    expect((await runs.list())[0]).toMatchObject({ state: "interrupted", endedAt: expect.any(Date) })
    await expect(run.result).rejects.toThrow(RunInterrupted)
    expect(await run.forget()).toBe(true)
  })

  it("stops a run whose process has died again and again, and goes on when it is resumed", async () => {
    const one = durable(oneStep(({ n }) => End({ n })))
    const at = store()
    const { key } = one["~definition"]
    await inStore(at, (store) =>
      Effect.gen(function* () {
        yield* store.create({ id: "a", start: { _tag: "Go", n: 1 }, ...key }, "dead 0")
        for (let i = 0; i < 4; i++) {
          yield* store.beat(`dead ${i}`, -1)
          expect((yield* store.claim(`dead ${i + 1}`, [key], 1, true)).length).toBe(1)
        }
        yield* store.beat("dead 4", -1)
      })
    )
    await using runs = await opened(at, [one], { crashes: 4 })
    await expect(runs.run(one, "a").result).rejects.toThrow(
      new RunKeepsCrashing({ run: "a", workflow: "one", crashes: 5, steps: ["step"] })
    )
    const run = runs.run(one, "a")
    await run.resume()
    expect(await run.result).toEqual({ _tag: "End", n: 1 })
  })

  it("lets nobody write who has lost the run", async () => {
    const at = store()
    const key = durable(oneStep(({ n }) => End({ n })))["~definition"].key
    await inStore(at, (store) =>
      Effect.gen(function* () {
        yield* store.create({ id: "a", start: null, ...key }, "one")
        expect(yield* store.append("a", 1, 0, [1])).toBe(true)
        yield* store.beat("one", -1)
        const [run] = yield* store.claim("two", [key], 1, true)
        expect(run).toMatchObject({ owner: "two", epoch: 2 })
        expect(yield* store.append("a", 1, 1, [2])).toBe(false)
        expect(yield* store.suspend("a", 1, 0, undefined)).toBe(false)
        expect(yield* store.end("a", 1, "succeeded", null)).toBe(false)
        expect(yield* store.append("a", 2, 0, [2])).toBe(false)
        expect(yield* store.append("a", 2, 1, [3])).toBe(true)
        expect((yield* store.load("a", 1)).flatMap(({ entries }) => entries)).toEqual([3])
      })
    )
  })
})

describe("durable", () => {
  it("names the event whose schema, of another library, does not read its own JSON", async () => {
    const Day = defineEvent("Day", z.object({ at: z.date() }))
    const days = (at: typeof Day) =>
      workflow({
        name: "days",
        start: Go,
        stop: End,
        steps: {
          find: defineStep({ accepts: Go, emits: at, run: () => at({ at: new Date(7) }) }),
          end: defineStep({ accepts: at, emits: End, run: ({ at }) => End({ n: at.getTime() }) })
        }
      })
    const bad = durable(days(Day))
    const good = durable(days(defineEvent("Day", z.object({ at: z.coerce.date() })) as never), { version: "2" })
    await using runs = await openDurable({ memory: true }, [bad, good])
    const { result } = await runs.start(bad, "bad", { n: 1 })
    await expect(result).rejects.toThrow(
      "workflow 'days' cannot be durable, because not all of it can be stored:\n" +
        "  - event 'Day': it cannot be encoded: its zod schema does not take it back as it is"
    )
    expect(await (await runs.start(good, "good", { n: 1 })).result).toEqual(End({ n: 7 }))
  })

  it("refuses what cannot be stored, and names the event and the field", () => {
    class Money {}
    const Bad = defineEvent("Bad", {
      any: Schema.Any,
      deep: Schema.Struct({ list: Schema.Array(Schema.Unknown) }),
      money: Schema.instanceOf(Money)
    })
    const flow = workflow({
      name: "bad",
      start: Bad,
      stop: End,
      steps: { step: defineStep({ accepts: Bad, emits: End, run: () => End({ n: 1 }) }) }
    })
    expect(() => durable(flow)).toThrow(NotStorable)
    expect(() => durable(flow)).toThrow(
      "workflow 'bad' cannot be durable, because not all of it can be stored:\n  - field 'any' of event 'Bad' may hold anything"
    )
    const Listed = defineEvent("Listed", { deep: Schema.Struct({ list: Schema.Array(Schema.Unknown) }) })
    const listed = workflow({
      name: "listed",
      start: Listed,
      stop: End,
      steps: { step: defineStep({ accepts: Listed, emits: End, run: () => End({ n: 1 }) }) }
    })
    expect(() => durable(listed)).toThrow("field 'deep.list[…]' of event 'Listed' may hold anything")
    expect(() => durable({} as any)).toThrow("durable takes a workflow, not")
    expect(() => durable(listed, { versoin: "2" } as any)).toThrow("versoin")
  })

  it("fails a run whose call, which had to wait, overflows the stack with other runs, and goes on", async () => {
    const nested: any = oneStep(({ n }) => Effect.runSync(run(nested, { n: n + 1 }) as Effect.Effect<any>))
    const Next = defineEvent("Next", { n: Schema.Number })
    const flow = durable(
      workflow({
        name: "overflows",
        start: Go,
        stop: End,
        steps: {
          first: defineStep({ accepts: Go, emits: Next, run: ({ n }) => Next({ n }) }),
          next: defineStep({
            accepts: Next,
            emits: End,
            run: ({ n }): any => (n > 0 ? End({ n }) : Effect.runSync(run(nested, { n }) as Effect.Effect<any>))
          })
        }
      })
    )
    await using runs = await openDurable({ memory: true }, [flow])
    await expect((await runs.start(flow, "deep", { n: 0 })).result).rejects.toBeInstanceOf(Error)
    expect(await (await runs.start(flow, "flat", { n: 1 })).result).toEqual(End({ n: 1 }))
  })

  it("says in Effect what it says in promises", async () => {
    const one = durable(oneStep(({ n }) => End({ n })))
    const program = Effect.gen(function* () {
      const run = yield* one.start("a", { n: 1 } as any)
      const events = yield* Stream.runCollect(run.events())
      return [yield* run.result, [...events], yield* one.execute("b", { n: 2 } as any)]
    })
    const layer = Layer.provideMerge(one.layer as any, Layer.provide(layerStore(), stores.memory!()))
    expect(await Effect.runPromise(Effect.provide(program, layer as any) as any)).toEqual([
      { _tag: "End", n: 1 },
      [{ _tag: "End", n: 1 }],
      { _tag: "End", n: 2 }
    ])
  })
})
