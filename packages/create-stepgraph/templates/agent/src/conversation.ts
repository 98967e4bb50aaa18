// What an agent, a model and tools say to each other, whichever the model is.
import { Schema } from "effect"

/** The fields of a call. The input is the JSON text that the model wrote. */
export const call = { id: Schema.String, tool: Schema.String, input: Schema.String }

export const Message = Schema.Union([
  Schema.Struct({ role: Schema.Literal("user"), text: Schema.String }),
  Schema.Struct({ role: Schema.Literal("assistant"), text: Schema.String, calls: Schema.Array(Schema.Struct(call)) }),
  Schema.Struct({ role: Schema.Literal("tool"), call: Schema.String, text: Schema.String })
])
export type Message = typeof Message.Type

/** Gives the answer to a conversation, or the calls of tools that it needs first. */
export type Model = (
  conversation: ReadonlyArray<Message>,
  signal: AbortSignal
) => Promise<{
  readonly text: string
  readonly calls: ReadonlyArray<{ readonly id: string; readonly tool: string; readonly input: string }>
}>

export interface Tool {
  /** What it does, for the model. */
  readonly about: string
  /** The JSON Schema of its input, for the model. */
  readonly parameters: object
  /** Whether a person must agree to each call. */
  readonly dangerous: boolean
  /** Takes the input as JSON text. */
  readonly run: (input: string, signal: AbortSignal) => Promise<string>
}

export type Tools = Readonly<Record<string, Tool>>
