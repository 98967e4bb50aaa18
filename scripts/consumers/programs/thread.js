import { isMainThread, parentPort, Worker } from "node:worker_threads"
import { seed } from "./seed.js"

if (isMainThread) new Worker(new URL(import.meta.url)).once("message", (result) => console.log(result))
else parentPort.postMessage(await seed())
