// The agent with its model and its folder, for a terminal or for a server.
//
// With OPENAI_API_KEY, and OPENAI_BASE_URL for another endpoint than OpenAI's (Ollama, vLLM, …), and OPENAI_MODEL, it
// asks a real model. Without a key and an address, it asks a scripted one, over HTTP.
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { openAiModel } from "./model.ts"
import { startScripted } from "./scripted.ts"
import { fileTools } from "./tools.ts"
import { agent } from "./workflow.ts"

interface Options extends NonNullable<Parameters<typeof startScripted>[0]> {
  /** Default: one with a few notes, which is removed in the end. */
  readonly folder?: string | undefined
}

const folderOfNotes = async (stack: AsyncDisposableStack): Promise<string> => {
  const folder = await mkdtemp(join(tmpdir(), "agent-"))
  stack.defer(() => rm(folder, { recursive: true }))
  await writeFile(join(folder, "monday.md"), "The release is out.\nNobody has complained yet.\n")
  await writeFile(join(folder, "tuesday.md"), "Ada found a bug in the parser.\n")
  await writeFile(join(folder, "wednesday.md"), "The bug is fixed.\n")
  return folder
}

/** The options other than the folder are those of the scripted model. */
export const prepared = async ({ folder: given, ...scripted }: Options = {}) => {
  const { OPENAI_API_KEY: key, OPENAI_BASE_URL: url, OPENAI_MODEL: model = "gpt-5-mini" } = process.env
  const stack = new AsyncDisposableStack()
  const folder = given ?? (await folderOfNotes(stack))
  const tools = fileTools(folder)
  const baseURL =
    key === undefined && url === undefined
      ? stack.use(await startScripted(scripted)).baseURL
      : (url ?? "https://api.openai.com/v1")
  const flow = agent(openAiModel({ baseURL, apiKey: key ?? "none", model, tools }), tools)
  return { flow, folder, [Symbol.asyncDispose]: () => stack.disposeAsync() }
}
