import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { describe, expect, it } from "@effect/vitest"
import { bearer, serve } from "@stepgraph/server"
import * as Promises from "@stepgraph/server/client"
import { connect, type RemoteRun } from "@stepgraph/server/client-effect"
import { toNodeListener } from "@stepgraph/server/node"
import { Cause, Effect, Exit, Fiber, Schema, Stream } from "effect"
import {
  type AnyWorkflow,
  defineEvent,
  defineStep,
  InvalidEvent,
  launch,
  RunEnded,
  StepDefect,
  StepRejected,
  WorkflowStalled,
  workflow
} from "stepgraph"
import { afterAll, beforeAll, expectTypeOf, vi } from "vitest"
import * as flows from "./flows.ts"
import { Approval, type buy, type publish, TooExpensive } from "./flows.ts"

const Begin = defineEvent("Begin", { how: Schema.String })
const Done = defineEvent("Done")
const breaks = workflow({
  name: "breaks",
  start: Begin,
  stop: Done,
  steps: {
    work: defineStep({
      accepts: Begin,
      emits: Done,
      run: async ({ how }) => {
        if (how === "rejects") throw new Error("no route")
        return how === "invents" ? (Begin({ how }) as never) : Done()
      }
    })
  }
})

/** Requests that the server has not answered, and streams that it has not ended. */
let open = 0
const handler = serve({
  workflows: [flows.publish, flows.count, flows.buy, breaks],
  auth: bearer("secret"),
  heartbeat: 10
})
const counting = async (request: Request): Promise<Response> => {
  open++
  const response = await handler(request).finally(() => open--)
  if (response.body === null) return response
  open++
  const reader = response.body.getReader()
  let isOpen = true
  const close = () => {
    if (isOpen) open--
    isOpen = false
  }
  const body = new ReadableStream({
    pull: async (controller) => {
      const { done, value } = await reader.read()
      if (!done) return controller.enqueue(value)
      close()
      controller.close()
    },
    cancel: (reason) => {
      close()
      return reader.cancel(reason)
    }
  })
  return new Response(body, response)
}
const server = createServer(toNodeListener(counting))
let url: string
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterAll(async () => {
  server.close()
  server.closeAllConnections()
  await handler.close()
})

const to = <W extends AnyWorkflow>(workflow: string) => connect<W>({ url, workflow, token: "secret" })

describe("a remote run, in Effect,", () => {
  it.effect("does what the handle of launch does", () =>
    Effect.gen(function* () {
      const remote = yield* to<typeof publish>("publish").launch({ text: "News" })
      const local = yield* launch(flows.publish, { text: "News" })
      expect((yield* remote.status).state).toBe((yield* local.status).state)
      yield* remote.send(Approval({ by: "Ada" }))
      yield* local.send(Approval({ by: "Ada" }))
      expect(yield* remote.result).toEqual(yield* local.result)
      expect(yield* remote.await).toEqual(yield* local.await)
      for (let reader = 0; reader < 2; reader++) {
        expect(yield* Stream.runCollect(remote.events)).toEqual(yield* Stream.runCollect(local.events))
      }
      expect((yield* remote.status).state).toBe("ended")
      expect((yield* to<typeof publish>("publish").run(remote.id).detail).status).toBe("stopped")
    })
  )

  it.effect("fails with the same tagged errors, of the same classes", () =>
    Effect.gen(function* () {
      const listing = connect<typeof buy, TooExpensive>({
        url,
        workflow: "buy",
        token: "secret",
        errors: [TooExpensive]
      })
      const expensive = yield* listing.start({ price: 200 })
      const said = yield* Effect.catchTag(expensive.result, "TooExpensive", (error) => Effect.succeed(error))
      expect(said).toBeInstanceOf(TooExpensive)
      expect(said).toMatchObject({ _tag: "TooExpensive", price: 200 })
      expect(yield* Effect.flip(Stream.runDrain(expensive.events))).toBeInstanceOf(TooExpensive)
      // Of a class that the client was not given, it has the tag and the fields.
      const unlisted = yield* Effect.flip(to<typeof buy>("buy").run(expensive.id).result)
      expect(unlisted).toMatchObject({ _tag: "TooExpensive", price: 200 })
      expect(unlisted).not.toBeInstanceOf(TooExpensive)

      const unfit = yield* Effect.flip(to<typeof publish>("publish").start({ text: 1 } as never))
      expect(unfit).toBeInstanceOf(InvalidEvent)
      expect(unfit).toMatchObject({ tag: "Draft", input: { text: 1 } })
      expect(unfit.message).toContain("event 'Draft' does not fit its schema")

      const run = yield* to<typeof publish>("publish").start({ text: "News" })
      expect(yield* Effect.flip(run.send({ _tag: "Approval" } as never))).toBeInstanceOf(InvalidEvent)
      yield* run.closeInputs
      const late = yield* Effect.flip(run.send(Approval({ by: "Ada" })))
      expect(late).toBeInstanceOf(RunEnded)
      expect(late).toMatchObject({ workflow: "publish", event: { _tag: "Approval", by: "Ada" } })
      expect(yield* Effect.flip(run.result)).toBeInstanceOf(WorkflowStalled)

      const rejected = yield* to<typeof breaks>("breaks").start({ how: "rejects" })
      const error = yield* Effect.flip(rejected.result)
      expect(error).toBeInstanceOf(StepRejected)
      expect(error).toMatchObject({ step: "work", cause: { name: "Error", message: "no route" } })
    })
  )

  it.effect("dies of a bug, and is interrupted, as launch does", () =>
    Effect.gen(function* () {
      const bug = yield* to<typeof breaks>("breaks").start({ how: "invents" })
      const exit = yield* bug.await
      expect(Exit.isFailure(exit) && Cause.squash(exit.cause)).toBeInstanceOf(StepDefect)
      expect(Exit.hasDies(exit) && !Exit.hasFails(exit)).toBe(true)
      expect(Exit.hasDies(yield* Effect.exit(Stream.runDrain(bug.events)))).toBe(true)

      const run = yield* to<typeof publish>("publish").start({ text: "News" })
      yield* run.interrupt
      const exits: ReadonlyArray<Exit.Exit<unknown, unknown>> = [
        yield* run.await,
        yield* Effect.exit(run.result),
        yield* Effect.exit(Stream.runDrain(run.events))
      ]
      expect(exits.map(Exit.hasInterrupts)).toEqual([true, true, true])
    })
  )

  it.effect("is interrupted with the scope of its launch, and goes on without one", () =>
    Effect.gen(function* () {
      const remote = to<typeof publish>("publish")
      const launched = yield* Effect.scoped(remote.launch({ text: "News" }))
      expect((yield* launched.detail).status).toBe("interrupted")
      const started = yield* Effect.scoped(remote.start({ text: "News" }))
      expect((yield* started.detail).status).toBe("waiting")
    })
  )

  it.effect("says what the server refused, and that it cannot be reached", () =>
    Effect.gen(function* () {
      const unknown = connect<typeof publish>({ url, workflow: "publish", token: "wrong" })
      const refused = yield* Effect.flip(unknown.start({ text: "News" }))
      expect(refused).toMatchObject({ _tag: "RequestFailed", status: 401 })
      expect(refused.message).toBe("POST /api/workflows/publish/runs: the server answered 401: Unauthorized")
      const missing = to<typeof publish>("publish").run("nothing")
      expect((yield* Effect.flip(missing.closeInputs))._tag).toBe("RequestFailed")
      expect((yield* Effect.flip(Stream.runDrain(missing.events)))._tag).toBe("RequestFailed")
      const nobody = connect<typeof publish>({ url: "http://127.0.0.1:1", workflow: "publish", retries: 0 })
      expect((yield* Effect.flip(nobody.start({ text: "News" })))._tag).toBe("ServerUnreachable")
      // Not an unreachable server: it would not help to try again.
      const unwritten = yield* Effect.flip(to<typeof publish>("publish").start({ text: 1n as never }))
      expect(unwritten).toBeInstanceOf(InvalidEvent)
      expect(unwritten.message).toBe(
        "event cannot be sent: it cannot be written as JSON: Do not know how to serialize a BigInt"
      )
    })
  )

  it("has typed members", () => {
    type Bought = RemoteRun<typeof buy, TooExpensive>
    expectTypeOf<
      Extract<Effect.Error<Bought["result"]>, { readonly _tag: "TooExpensive" }>
    >().toEqualTypeOf<TooExpensive>()
    expectTypeOf<
      Extract<Effect.Error<Bought["result"]>, { readonly _tag: "WorkflowStalled" }>
    >().toEqualTypeOf<WorkflowStalled>()
    expectTypeOf<Parameters<RemoteRun<typeof publish>["send"]>[0]>().toEqualTypeOf<{
      readonly _tag: "Approval"
      readonly by: string
    }>()
  })
})

describe("leaving", () => {
  const noneIsOpen = () => vi.waitFor(() => expect(open).toBe(0), { timeout: 20_000 })
  const someAreOpen = (count: number) => vi.waitFor(() => expect(open).toBe(count), { timeout: 20_000 })

  it("ends each wait of an Effect, and its request with it", async () => {
    const run = await Effect.runPromise(to<typeof publish>("publish").start({ text: "News" }))
    const waits = [run.result, run.await, Stream.runDrain(run.events)].map((wait) => Effect.runFork(Effect.exit(wait)))
    await someAreOpen(3)
    await Effect.runPromise(Fiber.interruptAll(waits))
    await noneIsOpen()
    await Effect.runPromise(run.interrupt)
  })

  it("ends each wait of a promise whose signal is aborted, and a reader's request at once", async () => {
    const client = Promises.connect<typeof publish>({ url, workflow: "publish", token: "secret" })
    const run = await client.start({ text: "News" })
    const controller = new AbortController()
    const waits = [run.outcome({ signal: controller.signal }), run.outcome({ signal: controller.signal })]
    const reader = run.events[Symbol.asyncIterator]()
    expect([await reader.next(), await reader.next()]).toMatchObject([{ value: { n: 1 } }, { value: { n: 2 } }])
    const next = reader.next()
    await someAreOpen(3)
    controller.abort(new Error("enough"))
    for (const wait of waits) await expect(wait).rejects.toThrow("enough")
    await reader.return!()
    expect(await next).toEqual({ done: true, value: undefined })
    await noneIsOpen()
    // Not even tried.
    await expect(run.send(Approval({ by: "Ada" }), { signal: AbortSignal.abort(new Error("never")) })).rejects.toThrow(
      "never"
    )
    expect((await run.detail()).status).toBe("waiting")
    await run.interrupt()
  })

  it("ends the pause before the next try", async () => {
    const nobody = Promises.connect<typeof publish>({ url: "http://127.0.0.1:1", workflow: "publish", retries: 100 })
    await expect(nobody.start({ text: "" }, { signal: AbortSignal.timeout(100) })).rejects.toThrow(/aborted|timeout/)
  })
})
