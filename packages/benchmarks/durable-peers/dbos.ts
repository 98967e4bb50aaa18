import { DBOS } from "@dbos-inc/dbos-sdk"
import { atMost, type Candidate, Signals } from "../src/durable/candidate.ts"

const day = 86_400

export default {
  open: async ({ postgres }, { step, went }) => {
    const waiting = new Signals()
    const walk = async (last: number) => {
      for (let n = 1; n <= last; n++) await DBOS.runStep(async () => step(n), { name: `step-${n}` })
      return last
    }
    const chain = DBOS.registerWorkflow(walk, { name: "chain" })
    const fan = DBOS.registerWorkflow(
      async (items: number) => {
        let done = 0
        await atMost(items, async (n) => {
          await DBOS.runStep(async () => step(n), { name: `step-${n}` })
          done++
        })
        return done
      },
      { name: "fan" }
    )
    const wait = DBOS.registerWorkflow(
      async (id: string, last: number) => {
        await walk(last)
        waiting.give(id)
        await DBOS.recv("answer", day)
        await DBOS.runStep(async () => went(id), { name: "went" })
      },
      { name: "wait" }
    )
    DBOS.setConfig({
      name: "benchmark",
      systemDatabaseUrl: postgres!,
      logLevel: "error"
    })
    await DBOS.launch()
    const start = (workflowID: string, last: number) => DBOS.startWorkflow(chain, { workflowID })(last)
    return {
      chain: async (id, last) => (await start(id, last)).getResult(),
      // Launching recovers it.
      goOn: (id) => DBOS.retrieveWorkflow<number>(id).getResult(),
      fan: async (workflowID, items) => (await DBOS.startWorkflow(fan, { workflowID })(items)).getResult(),
      wait: async (id, last) => {
        await DBOS.startWorkflow(wait, { workflowID: id })(id, last)
        await waiting.await(id)
      },
      answer: (id) => DBOS.send(id, "Ada", "answer"),
      close: () => DBOS.shutdown()
    }
  }
} satisfies Candidate
