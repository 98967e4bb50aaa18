// A process that is killed while its run waits for an answer.
import { openDurable } from "../../src/index.ts"
import { approval } from "./approval.ts"

const [place, id] = process.argv.slice(2) as [string, string]
const flow = approval({ called: (what) => process.send!(what) })
const runs = await openDurable({ sqlite: place }, [flow])
const run: any = await runs.start(flow, id, { tools: ["write"] } as any)
for await (const event of run.events()) process.send!(event)
