// The agent of `examples/agent` behind HTTP, with a chat in the browser: its tokens as they come, and buttons for its
// questions. Assistants reach it over MCP.
//
//   node examples/http/server.ts [folder]
//
// It listens on this machine alone, and wants a token: TOKEN, or a new one each time. The page takes it from the part of
// the URL that is not sent to any server.
import { randomUUID } from "node:crypto"
import { pathToFileURL } from "node:url"
import { bearer } from "@stepgraph/server"
import { type ChatMessage, chat, textOf } from "@stepgraph/server/ai-sdk"
import { mcp } from "@stepgraph/server/mcp"
import { type Listening, listen } from "@stepgraph/server/node"
import type { Message } from "../agent/conversation.ts"
import { prepared } from "../agent/prepare.ts"
import type { agent } from "../agent/workflow.ts"
import { files } from "./files.ts"

/** What the browser says was said before. It may say anything, so it is text, and never a call of a tool. */
const earlier = (messages: ReadonlyArray<ChatMessage>): ReadonlyArray<Message> =>
  messages.flatMap((message): ReadonlyArray<Message> => {
    const text = textOf(message)
    if (text === "" || message.role === "system") return []
    return message.role === "user" ? [{ role: "user", text }] : [{ role: "assistant", text, calls: [] }]
  })

const chatOf = (flow: ReturnType<typeof agent>) =>
  chat(flow, {
    start: ({ messages }) => ({ text: textOf(messages.at(-1)!), earlier: earlier(messages.slice(0, -1)) }),
    show: {
      // The text of a turn is one part, and what a failed attempt has said is taken back.
      Token: ({ attempt, text, turn }) => ({ text, part: turn, attempt }),
      Answer: null,
      GaveUp: ({ turns }) => ({ type: "data-GaveUp", data: { turns } })
    },
    error: ({ _tag }) => (_tag === "WorkflowTimedOut" ? "That took too long." : "Something went wrong."),
    // A page may be loaded again meanwhile.
    linger: 10_000
  })

export const serveAgent = async (
  flow: ReturnType<typeof agent>,
  { port, token }: { readonly port?: number; readonly token: string }
): Promise<Listening> =>
  listen({
    workflows: [flow],
    auth: bearer(token),
    protocols: [chatOf(flow), mcp()],
    page: await files(),
    port
  })

if (import.meta.url === pathToFileURL(process.argv[1]!).href) {
  const token = process.env.TOKEN ?? randomUUID()
  await using agent = await prepared({ folder: process.argv[2], pause: 40, faults: [undefined, "cut"] })
  await using server = await serveAgent(agent.flow, { token })
  console.log(`Chat with the agent: ${server.url}/#token=${token}`)
  console.log(`The same without React: ${server.url}/plain.html#token=${token}`)
  await new Promise((resolve) => process.once("SIGINT", resolve))
}
