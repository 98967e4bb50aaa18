// What an agent and a model say to each other, whichever the model is.
import { Schema } from "effect"

/** The fields of a call. The input is the JSON text that the model wrote. */
export const call = { id: Schema.String, tool: Schema.String, input: Schema.String }

export const Message = Schema.Union([
  Schema.Struct({ role: Schema.Literal("user"), text: Schema.String }),
  Schema.Struct({
    role: Schema.Literal("assistant"),
    text: Schema.String,
    calls: Schema.Array(Schema.Struct(call))
  }),
  Schema.Struct({ role: Schema.Literal("tool"), call: Schema.String, text: Schema.String })
])
export type Message = typeof Message.Type

/** Gives a model's answer to a conversation, or the tools that it calls. The text may come piece by piece before. */
export type Model = (
  conversation: ReadonlyArray<Message>,
  options: { readonly onToken: (text: string) => void; readonly signal: AbortSignal }
) => Promise<{
  readonly text: string
  readonly calls: ReadonlyArray<(Message & { role: "assistant" })["calls"][number]>
}>

/** A failure of the model that another attempt would only repeat. */
export class Refused extends Error {}

export interface Tool {
  /** Whether a person must agree to each call. */
  readonly dangerous: boolean
  readonly run: (input: string, options: { readonly signal: AbortSignal }) => Promise<string>
}
