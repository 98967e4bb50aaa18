import { Effect, Layer, ManagedRuntime, Schema } from "effect"
import { ClusterWorkflowEngine, SingleRunner } from "effect/cluster"
import { Digest } from "effect/crypto"
import type { SqlClient } from "effect/sql/SqlClient"
import { Activity, DurableDeferred, Workflow } from "effect/workflow"
import { type Engine, type Hooks, Signals, sideBySide } from "../candidate.ts"

const Chain = Workflow.make("Chain", {
  payload: { id: Schema.String, last: Schema.Number },
  success: Schema.Number,
  idempotencyKey: ({ id }) => id
})
const Fan = Workflow.make("Fan", {
  payload: { id: Schema.String, items: Schema.Number },
  success: Schema.Number,
  idempotencyKey: ({ id }) => id
})
const Wait = Workflow.make("Wait", {
  payload: { id: Schema.String, last: Schema.Number },
  success: Schema.String,
  idempotencyKey: ({ id }) => id
})
const Answer = DurableDeferred.make("Answer", { success: Schema.String })

/** Each step is an Activity; nothing else is set. */
export const open = async (client: Layer.Layer<SqlClient, unknown>, hooks: Hooks): Promise<Engine> => {
  const waiting = new Signals()
  const step = (n: number) =>
    Activity.make({
      name: `step-${n}`,
      success: Schema.Number,
      execute: Effect.promise(async () => {
        await hooks.step(n)
        return n
      })
    })
  const steps = (last: number) =>
    Effect.gen(function* () {
      let n = 0
      while (n < last) n = yield* step(n + 1)
      return n
    })
  const flows = Layer.mergeAll(
    Chain.toLayer(({ last }) => steps(last)),
    Fan.toLayer(({ items }) =>
      Effect.map(
        Effect.forEach(
          Array.from({ length: items }, (_, i) => i + 1),
          step,
          { concurrency: sideBySide }
        ),
        (all) => all.length
      )
    ),
    Wait.toLayer(({ id, last }) =>
      Effect.gen(function* () {
        yield* steps(last)
        waiting.give(id)
        const by = yield* DurableDeferred.await(Answer)
        yield* Activity.make({ name: "went", execute: Effect.sync(() => hooks.went(id)) })
        return by
      })
    )
  )
  const engine = ClusterWorkflowEngine.layer.pipe(
    Layer.provideMerge(SingleRunner.layer()),
    Layer.provideMerge(client),
    Layer.provide(Digest.layerWebCrypto)
  )
  const runtime = ManagedRuntime.make(Layer.provideMerge(flows, engine))
  await runtime.runPromise(Effect.void)
  const chain = (id: string, last: number) => runtime.runPromise(Chain.execute({ id, last }))
  return {
    chain,
    goOn: chain,
    fan: (id, items) => runtime.runPromise(Fan.execute({ id, items })),
    wait: async (id, last) => {
      await runtime.runPromise(Wait.execute({ id, last }, { discard: true }))
      await waiting.await(id)
    },
    answer: (id) =>
      runtime.runPromise(
        Effect.gen(function* () {
          const token = yield* DurableDeferred.tokenFromPayload(Answer, { workflow: Wait, payload: { id, last: 0 } })
          yield* DurableDeferred.succeed(Answer, { token, value: "Ada" })
        })
      ),
    close: () => runtime.dispose()
  }
}
