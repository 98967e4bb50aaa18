// One process of the soak: starts what is not started, sends what is to be sent, and waits until all runs have ended.
import { Approval } from "../support/flows.ts"
import { cases, flowsWith, Reply } from "./flows.ts"
import { openStore } from "./stores.ts"

const [place, log, many] = process.argv.slice(2) as [string, string, string]
const flows = flowsWith(log)
const runs = await openStore(place, Object.values(flows))
process.send?.("ready")
await Promise.all(
  cases(Number(many)).map(async ({ id, kind, n }) => {
    const run: any = await runs.start(flows[kind] as any, id, { n } as any)
    if (kind === "everything") {
      for (const [key, by] of ["Ada", "Bob"].entries())
        await run.send(Approval({ by }), { key: String(key) }).catch(() => {})
    }
    if (kind === "asks") {
      for await (const { _tag, id: question, n } of run.events()) {
        if (_tag === "Question") await run.send(Reply({ id: question, add: n }), { key: question }).catch(() => {})
      }
    }
    return run.result
  })
)
await runs.close()
process.send?.("done")
process.disconnect?.()
