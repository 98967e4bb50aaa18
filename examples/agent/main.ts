// Runs the agent in a terminal, on a folder of yours or on a few notes of its own.
//
//   node examples/agent/main.ts [folder] [task]
//
// With OPENAI_API_KEY, and OPENAI_BASE_URL for another endpoint than OpenAI's (Ollama, vLLM, …), and OPENAI_MODEL, it
// asks a real model. Without a key and an address, it asks a scripted one, over HTTP, whose line is cut once.
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { openAiModel } from "./model.ts"
import { startScripted } from "./scripted.ts"
import { converse } from "./terminal.ts"
import { fileTools } from "./tools.ts"
import { agent } from "./workflow.ts"

const interrupt = new AbortController()
process.once("SIGINT", () => interrupt.abort())

const { OPENAI_API_KEY: key, OPENAI_BASE_URL: url, OPENAI_MODEL: model = "gpt-5-mini" } = process.env
const [given, task = "Summarise my notes in summary.md, a line for each."] = process.argv.slice(2)

await using stack = new AsyncDisposableStack()

let folder = given
if (folder === undefined) {
  const made = await mkdtemp(join(tmpdir(), "agent-"))
  stack.defer(() => rm(made, { recursive: true }))
  await writeFile(join(made, "monday.md"), "The release is out.\nNobody has complained yet.\n")
  await writeFile(join(made, "tuesday.md"), "Ada found a bug in the parser.\n")
  await writeFile(join(made, "wednesday.md"), "The bug is fixed.\n")
  folder = made
}
const tools = fileTools(folder)
const scripted = key === undefined && url === undefined
const baseURL = scripted
  ? stack.use(await startScripted({ faults: [undefined, "cut"], pause: 40 })).baseURL
  : (url ?? "https://api.openai.com/v1")

const flow = agent(openAiModel({ baseURL, apiKey: key ?? "none", model, tools }), tools)
process.exitCode = await converse(flow, task, process, { signal: interrupt.signal })
