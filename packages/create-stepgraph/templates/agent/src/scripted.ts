// A model that follows a script, so that the agent works without a key: it lists the files, reads all of them at once,
// writes a summary, and answers.
import { setTimeout as sleep } from "node:timers/promises"
import type { Model } from "./conversation.ts"

export const scriptedModel: Model = async (conversation, signal) => {
  await sleep(300, undefined, { signal })
  const asked = conversation.findLast((message) => message.role === "assistant")?.calls ?? []
  const results = conversation.slice(conversation.findLastIndex(({ role }) => role === "assistant") + 1)
  const texts = results.map(({ text }) => text)
  const calls = (tool: string, inputs: ReadonlyArray<object>) =>
    inputs.map((input, n) => ({ id: `${tool}-${n + 1}`, tool, input: JSON.stringify(input) }))
  switch (asked[0]?.tool) {
    case undefined:
      return { text: "Let me look at your files.", calls: calls("list_files", [{}]) }
    case "list_files": {
      const files = (texts[0] ?? "").split("\n").filter((name) => name !== "" && name !== "summary.md")
      if (files.length === 0) return { text: "The folder is empty.", calls: [] }
      const inputs = files.map((name) => ({ name }))
      return { text: `I read all ${files.length} at once.`, calls: calls("read_file", inputs) }
    }
    case "read_file": {
      const text = texts.map((text) => `- ${text.trim().split("\n")[0]}\n`).join("")
      return { text: "I write the summary.", calls: calls("write_file", [{ name: "summary.md", text }]) }
    }
    default:
      return { text: texts[0]?.endsWith("written.") ? "Done: see summary.md." : `Not done. ${texts[0]}`, calls: [] }
  }
}
