import { createServer } from "node:http2"
import * as restate from "@restatedev/restate-sdk"
import * as clients from "@restatedev/restate-sdk-clients"
import { type Candidate, Signals, sideBySide } from "../src/durable/candidate.ts"

export default {
  open: async ({ restate: server }, { step, went }) => {
    const waiting = new Signals()
    const run = (ctx: restate.WorkflowContext, n: number) =>
      ctx.run(`step-${n}`, async () => {
        await step(n)
        return n
      })
    const walk = async (ctx: restate.WorkflowContext, last: number) => {
      let n = 0
      while (n < last) n = await run(ctx, n + 1)
      return n
    }
    const chain = restate.workflow({
      name: "chain",
      handlers: { run: (ctx: restate.WorkflowContext, last: number) => walk(ctx, last) }
    })
    const fan = restate.workflow({
      name: "fan",
      handlers: {
        // Its promises are to be awaited one after another, so the steps go in groups.
        run: async (ctx: restate.WorkflowContext, items: number) => {
          let done = 0
          for (let from = 1; from <= items; from += sideBySide) {
            const count = Math.min(sideBySide, items + 1 - from)
            done += (await restate.RestatePromise.all(Array.from({ length: count }, (_, i) => run(ctx, from + i))))
              .length
          }
          return done
        }
      }
    })
    const wait = restate.workflow({
      name: "wait",
      handlers: {
        run: async (ctx: restate.WorkflowContext, last: number) => {
          await walk(ctx, last)
          waiting.give(ctx.key)
          await ctx.promise<string>("answer")
          await ctx.run("went", () => went(ctx.key))
        },
        answer: async (ctx: restate.WorkflowSharedContext, by: string) => ctx.promise<string>("answer").resolve(by)
      }
    })
    const services = createServer(
      restate.createEndpointHandler({ services: [chain, fan, wait] }) as Parameters<typeof createServer>[1]
    )
    await new Promise<void>((resolve) => services.listen(server!.port, "127.0.0.1", resolve))
    const registered = await fetch(`${server!.admin}/deployments`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ uri: `http://127.0.0.1:${server!.port}`, force: true })
    })
    if (!registered.ok) throw new Error(`cannot register: ${await registered.text()}`)
    const ingress = clients.connect({ url: server!.ingress })
    const result = async (flow: any, id: string, input: number): Promise<number> => {
      const client: any = ingress.workflowClient(flow, id)
      await client.workflowSubmit(input)
      return client.workflowAttach()
    }
    return {
      chain: (id, last) => result(chain, id, last),
      goOn: (id) => ingress.workflowClient(chain, id).workflowAttach(),
      fan: (id, items) => result(fan, id, items),
      wait: async (id, last) => {
        await ingress.workflowClient(wait, id).workflowSubmit(last)
        await waiting.await(id)
      },
      answer: async (id) => ingress.workflowClient(wait, id).answer("Ada"),
      close: async () => services.close()
    }
  }
} satisfies Candidate
