// A model behind any endpoint that speaks OpenAI's protocol.
import OpenAI, { APIError } from "openai"
import { type Message, type Model, Refused } from "./conversation.ts"

type Tools = Readonly<Record<string, { readonly about: string; readonly parameters: Record<string, unknown> }>>

const messageOf = (message: Message): OpenAI.ChatCompletionMessageParam => {
  if (message.role === "user") return { role: "user", content: message.text }
  if (message.role === "tool") return { role: "tool", tool_call_id: message.call, content: message.text }
  const calls = message.calls.map(({ id, tool, input }) => ({
    id,
    type: "function" as const,
    function: { name: tool, arguments: input }
  }))
  // An empty list of calls is refused by some servers.
  return { role: "assistant", content: message.text, ...(calls.length > 0 && { tool_calls: calls }) }
}

/** Another attempt helps against a busy server and a broken line, not against a wrong key or a wrong request. */
const refuses = (error: unknown): boolean =>
  error instanceof APIError &&
  error.status !== undefined &&
  error.status < 500 &&
  ![408, 409, 429].includes(error.status)

export const openAiModel = (options: {
  readonly baseURL: string
  readonly apiKey: string
  readonly model: string
  readonly tools: Tools
}): Model => {
  // The step retries, since it must tell whoever listens that the tokens begin anew.
  const client = new OpenAI({ baseURL: options.baseURL, apiKey: options.apiKey, maxRetries: 0 })
  const tools = Object.entries(options.tools).map(([name, { about, parameters }]) => ({
    type: "function" as const,
    function: { name, description: about, parameters }
  }))
  return async (conversation, { onToken, signal }) => {
    try {
      const reply = client.chat.completions.stream(
        { model: options.model, messages: conversation.map(messageOf), tools },
        { signal }
      )
      reply.on("content", (delta) => onToken(delta))
      const { content, tool_calls = [] } = (await reply.finalChatCompletion()).choices[0]?.message ?? {}
      const calls = tool_calls.flatMap((call) =>
        call.type === "function" ? [{ id: call.id, tool: call.function.name, input: call.function.arguments }] : []
      )
      return { text: content ?? "", calls }
    } catch (error) {
      throw refuses(error) ? new Refused((error as Error).message, { cause: error }) : error
    }
  }
}
