// A model behind any endpoint that speaks OpenAI's protocol: OpenAI, Ollama, vLLM, …
import { Schema } from "effect"
import type { Message, Model, Tools } from "./conversation.ts"

const Reply = Schema.Struct({
  choices: Schema.NonEmptyArray(
    Schema.Struct({
      message: Schema.Struct({
        content: Schema.optional(Schema.NullOr(Schema.String)),
        tool_calls: Schema.optional(
          Schema.NullOr(
            Schema.Array(
              Schema.Struct({
                id: Schema.String,
                function: Schema.Struct({ name: Schema.String, arguments: Schema.String })
              })
            )
          )
        )
      })
    })
  )
})
const decode = Schema.decodeUnknownPromise(Reply)

const toWire = (message: Message): object => {
  if (message.role === "user") return { role: "user", content: message.text }
  if (message.role === "tool") return { role: "tool", tool_call_id: message.call, content: message.text }
  const calls = message.calls.map(({ id, tool, input }) => ({
    id,
    type: "function",
    function: { name: tool, arguments: input }
  }))
  // Some servers refuse an empty list of calls.
  return { role: "assistant", content: message.text, ...(calls.length > 0 && { tool_calls: calls }) }
}

export const openAiModel = (options: {
  readonly baseURL: string
  readonly apiKey: string | undefined
  readonly model: string
  readonly tools: Tools
}): Model => {
  const tools = Object.entries(options.tools).map(([name, { about, parameters }]) => ({
    type: "function",
    function: { name, description: about, parameters }
  }))
  const headers: Record<string, string> = { "content-type": "application/json" }
  if (options.apiKey) headers.authorization = `Bearer ${options.apiKey}`
  return async (conversation, signal) => {
    const response = await fetch(`${options.baseURL.replace(/\/+$/, "")}/chat/completions`, {
      method: "POST",
      headers,
      body: JSON.stringify({ model: options.model, messages: conversation.map(toWire), tools }),
      signal
    })
    if (!response.ok) {
      throw new Error(`the model answered ${response.status}: ${(await response.text()).slice(0, 200)}`)
    }
    const { message } = (await decode(await response.json())).choices[0]
    return {
      text: message.content ?? "",
      calls: (message.tool_calls ?? []).map((call) => ({
        id: call.id,
        tool: call.function.name,
        input: call.function.arguments
      }))
    }
  }
}
