/**
 * Runs as messages of a chat, for the AI SDK: `useChat` starts them, shows them as they go, and takes them up again.
 *
 * @module ai-sdk
 */
import * as Effect from "effect/Effect"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Schema from "effect/Schema"
import type { AnyWorkflow, OutputsOf, StartOf, StopOf } from "stepgraph"
import type { Fields, Wire } from "./Client.ts"
import { accessOf, CurrentIdentity } from "./internal/access.ts"
import { chatRoutes } from "./internal/chats.ts"
import { Readers } from "./internal/readers.ts"
import type { Shown } from "./internal/ui-message.ts"
import { uiStreamed } from "./internal/ui-stream.ts"
import { BadQuery } from "./Problems.ts"
import type { Protocol } from "./Protocol.ts"
import type { RunFailure } from "./Runs.ts"

export type { Shown, UiChunk, UiText } from "./internal/ui-message.ts"

/** A message as the browser sends it. The browser may have changed any part of it, even the assistant's messages. */
export interface ChatMessage {
  readonly id?: string | undefined
  readonly role: "system" | "user" | "assistant"
  readonly parts: ReadonlyArray<{ readonly type: string; readonly [field: string]: unknown }>
}

/** What `useChat` sends. */
export interface ChatRequest {
  /** The id of the chat. */
  readonly id: string
  /** The whole conversation; the last message is the user's. */
  readonly messages: ReadonlyArray<ChatMessage>
  readonly trigger: string
  /** What else the page sends: the `body` of its transport. */
  readonly body: { readonly [field: string]: Schema.Json }
  /** Who sends it. */
  readonly user: string
}

type Event<W> = OutputsOf<W> | StopOf<W>

export interface ChatOptions<W> {
  /** The fields of the start event, for a conversation. If they do not fit, the request gets 422. */
  readonly start: (request: ChatRequest) => Fields<StartOf<W>> | Promise<Fields<StartOf<W>>>
  /**
   * What is shown of an event: a string or `{ text, part, attempt }` for text, a chunk of the AI SDK's stream or a list of them, or
   * `null` for nothing. The default is a data part: `{ type: "data-<tag>", data: <fields> }`.
   */
  readonly show?:
    | {
        readonly [Tag in (Event<W> & { readonly _tag: string })["_tag"]]?:
          | ((event: Wire<Extract<Event<W>, { readonly _tag: Tag }>>) => Shown)
          | null
          | undefined
      }
    | undefined
  /** What the chat says of a run that failed. Default: "The run failed.", because an error may contain something private. */
  readonly error?: ((failure: RunFailure) => string) | undefined
  /**
   * Milliseconds that a run goes on without anybody who reads it in a chat, before it is interrupted. With the default 0, `stop()` and a
   * closed page interrupt it; with `Infinity`, nothing does.
   */
  readonly linger?: number | undefined
}

/**
 * The text of a message.
 *
 * @example
 * ```ts
 * import { textOf } from "@stepgraph/server/ai-sdk"
 *
 * console.log(textOf({ role: "user", parts: [{ type: "text", text: "Hello" }] })) // => Hello
 * ```
 */
export const textOf = ({ parts }: ChatMessage): string =>
  parts.map(({ text, type }) => (type === "text" && typeof text === "string" ? text : "")).join("")

const Sent = Schema.StructWithRest(
  Schema.Struct({
    id: Schema.NonEmptyString.check(Schema.isMaxLength(200)),
    messages: Schema.NonEmptyArray(
      Schema.StructWithRest(
        Schema.Struct({
          id: Schema.optionalKey(Schema.String),
          role: Schema.Literals(["system", "user", "assistant"]),
          parts: Schema.Array(
            Schema.StructWithRest(Schema.Struct({ type: Schema.String }), [Schema.Record(Schema.String, Schema.Json)])
          )
        }),
        [Schema.Record(Schema.String, Schema.Json)]
      )
    ),
    trigger: Schema.optionalKey(Schema.String)
  }),
  [Schema.Record(Schema.String, Schema.Json)]
)
const sentOf = Schema.decodeUnknownEffect(Schema.fromJsonString(Sent))

const unreadable = () => new BadQuery({ detail: "send what useChat sends: { id, messages }, with a message" })

/** The chats whose latest run is known; the oldest go. */
const mostChats = 10_000

/**
 * Makes a workflow the backend of AI SDK chats, at `POST /api/chats/<workflow>`: for the option `protocols` of `serve`. Each message
 * of the user starts a run, and its outputs and its stop event are the assistant's message.
 *
 * @example
 * ```ts
 * import { Schema } from "effect"
 * import { defineEvent, defineStep, workflow } from "stepgraph"
 * import { serve } from "@stepgraph/server"
 * import { chat, textOf } from "@stepgraph/server/ai-sdk"
 *
 * const Task = defineEvent("Task", { text: Schema.String })
 * const Token = defineEvent("Token", { text: Schema.String })
 * const Answer = defineEvent("Answer", { words: Schema.Number })
 * const flow = workflow({
 *   name: "echo",
 *   start: Task,
 *   stop: Answer,
 *   outputs: [Token],
 *   steps: {
 *     say: defineStep({
 *       accepts: Task,
 *       emits: [Token, Answer],
 *       run: ({ text }) => [Token({ text: "You said: " }), Token({ text }), Answer({ words: 1 })]
 *     })
 *   }
 * })
 *
 * const echo = chat(flow, {
 *   start: ({ messages }) => ({ text: textOf(messages.at(-1)!) }),
 *   show: { Token: ({ text }) => text }
 * })
 * await using handler = serve({ workflows: [flow], auth: "none", protocols: [echo] })
 *
 * // What useChat sends.
 * const message = { id: "1", role: "user", parts: [{ type: "text", text: "Hello" }] }
 * const response = await handler(
 *   new Request("http://localhost/api/chats/echo", {
 *     method: "POST",
 *     headers: { "content-type": "application/json" },
 *     body: JSON.stringify({ id: "chat", messages: [message], trigger: "submit-message" })
 *   })
 * )
 * const lines = (await response.text()).split("\n\n")
 * console.log(lines[1]) // => data: {"type":"text-start","id":"text-1"}
 * console.log(lines[3]) // => data: {"type":"text-delta","id":"text-1","delta":"Hello"}
 * console.log(lines[5]) // => data: {"type":"data-Answer","id":"3","data":{"words":1}}
 * ```
 */
export const chat = <W extends AnyWorkflow>(flow: W, options: ChatOptions<W>): Protocol => {
  const { error = () => "The run failed.", linger = 0, start } = options
  const shows = new Map<string, any>(Object.entries(options.show ?? {}))
  const showing = { show: (tag: string) => shows.get(tag), error }
  return {
    name: `the chat of workflow '${flow.name}'`,
    workflow: flow.name,
    routes: (served) =>
      chatRoutes(served, flow.name, () =>
        Effect.gen(function* () {
          const access = accessOf(served)
          const readers = yield* Readers.make(linger)
          /** The latest run of each chat of each user. */
          const latest = new Map<string, string>()
          const keyOf = (id: string) => Effect.map(CurrentIdentity, ({ user }) => JSON.stringify([user, id]))
          const remember = (key: string, run: string): void => {
            latest.delete(key)
            latest.set(key, run)
            const [oldest] = latest.keys()
            if (latest.size > mostChats) latest.delete(oldest!)
          }
          return {
            begin: (text, own) =>
              Effect.gen(function* () {
                const {
                  id,
                  messages,
                  trigger = "submit-message",
                  ...body
                } = yield* Effect.mapError(sentOf(text), unreadable)
                const { user } = yield* CurrentIdentity
                yield* access.room
                const input = yield* Effect.promise(async () => start({ id, messages, trigger, body, user }))
                const run = yield* access.start(own, { input })
                remember(yield* keyOf(id), run.summary.id)
                readers.own(run)
                return uiStreamed(run, showing, readers, served)
              }),
            resume: (id) =>
              Effect.gen(function* () {
                const known = latest.get(yield* keyOf(id)) ?? id
                const run = yield* Effect.option(access.run(known))
                // Nothing to take up, or not for this user: the AI SDK then leaves its messages as they are.
                if (run._tag === "None" || run.value.summary.workflow !== flow.name) {
                  return HttpServerResponse.empty({ status: 204 })
                }
                yield* access.room
                return uiStreamed(run.value, showing, readers, served)
              })
          }
        })
      )
  }
}
