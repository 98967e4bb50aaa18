// A thread that performs a run of its own on the file of its process.
import { parentPort, workerData } from "node:worker_threads"
import { openDurable } from "../../src/index.ts"
import { nap } from "./nap.ts"

const runs = await openDurable({ sqlite: workerData }, [nap])
const run = await runs.start(nap, "a", { n: 1 })
parentPort!.postMessage("started")
parentPort!.postMessage(await run.result)
await runs.close()
