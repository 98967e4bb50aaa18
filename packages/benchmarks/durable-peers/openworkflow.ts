import { OpenWorkflow } from "openworkflow"
import { atMost, type Engine, type Hooks, Signals } from "../src/durable/candidate.ts"

const runsAtOnce = 50

export const open = async (backend: any, { step, went }: Hooks): Promise<Engine> => {
  const client = new OpenWorkflow({ backend })
  const waiting = new Signals()
  const walk = async (api: any, last: number) => {
    for (let n = 1; n <= last; n++) await api.run({ name: `step-${n}` }, () => step(n))
    return last
  }
  const chain = client.defineWorkflow<{ last: number }, number>({ name: "chain" }, ({ input, step }) =>
    walk(step, input.last)
  )
  const fan = client.defineWorkflow<{ items: number }, number>({ name: "fan" }, async ({ input, step: api }) => {
    let done = 0
    await atMost(input.items, async (n) => {
      await api.run({ name: `step-${n}` }, () => step(n) as any)
      done++
    })
    return done
  })
  const wait = client.defineWorkflow<{ id: string; last: number }, void>(
    { name: "wait" },
    async ({ input: { id, last }, step }) => {
      await walk(step, last)
      waiting.give(id)
      await step.waitForSignal({ signal: id, timeout: "1d" })
      await step.run({ name: "went" }, () => went(id))
    }
  )
  const worker = client.newWorker({ concurrency: runsAtOnce })
  await worker.start()
  return {
    chain: async (id, last) => (await chain.run({ last }, { idempotencyKey: id })).result(),
    goOn: async (id, last) => (await chain.run({ last }, { idempotencyKey: id })).result(),
    fan: async (id, items) => (await fan.run({ items }, { idempotencyKey: id })).result(),
    wait: async (id, last) => {
      await wait.run({ id, last }, { idempotencyKey: id })
      await waiting.await(id)
    },
    answer: async (id) => {
      // It is dropped where nobody waits for it yet.
      while ((await client.sendSignal({ signal: id, data: "Ada" })).workflowRunIds.length === 0);
    },
    close: async () => {
      await worker.stop()
      await backend.stop()
    }
  }
}
