/**
 * The records of a run as the chunks of one AI SDK message.
 */
import type { RunFailure, StreamRecord } from "../Runs.ts"

/** A chunk of the AI SDK's UI message stream, such as `{ type: "data-weather", data: … }`. */
export interface UiChunk {
  readonly type: string
  readonly [field: string]: unknown
}

/** A piece of text, in a part of its own. */
export interface UiText {
  readonly text: string
  /** Pieces with the same name are one part of the message. */
  readonly part: string | number
  /** A piece with a higher number takes the place of all pieces of its part that came before. Default: 1. */
  readonly attempt?: number | undefined
}

/** What is shown of an event: text, chunks, or nothing. */
export type Shown = string | UiText | UiChunk | ReadonlyArray<UiChunk> | null | undefined

export interface Showing {
  /** What is shown of an event with this tag; `null` for nothing, and `undefined` for a data part. */
  readonly show: (tag: string) => ((event: any) => Shown) | null | undefined
  readonly error: (failure: RunFailure) => string
}

/** These make a message, and no event may. */
const reserved = new Set(["start", "finish", "abort", "error", "start-step", "finish-step", "reset-step"])

const isText = (shown: UiText | UiChunk): shown is UiText => !("type" in shown)

const chunkOf = (chunk: UiChunk, tag: string): UiChunk => {
  if (typeof chunk?.type !== "string" || reserved.has(chunk.type)) {
    throw new TypeError(`what is shown of '${tag}' is not text, nor a chunk that an event may be: ${chunk?.type}`)
  }
  return chunk
}

export class UiMessage {
  private readonly id: string
  private readonly showing: Showing
  /** The text parts that are open, by the names of the parts; text without a name has "". */
  private open = new Map<string, string>()
  private texts = 0
  /** The latest attempt of each part that has had more than one. */
  private readonly latest = new Map<string, number>()

  constructor(id: string, showing: Showing) {
    this.id = id
    this.showing = showing
  }

  get begin(): ReadonlyArray<UiChunk> {
    // A message with the id of its run: whoever has it can find the run.
    return [{ type: "start", messageId: this.id }]
  }

  /**
   * The chunks of a record; `"again"` if what has been shown is no longer true. Then everything is removed, and shown again from
   * the first record on, without it.
   */
  of({ json, kind, number }: StreamRecord): ReadonlyArray<UiChunk> | "again" {
    const data = JSON.parse(json)
    if (kind === "dropped") return [{ type: "message-metadata", messageMetadata: data }]
    if (kind === "end") return this.end(data)
    return this.output(data, number)
  }

  private output({ _tag: tag, ...fields }: any, number: number): ReadonlyArray<UiChunk> | "again" {
    const show = this.showing.show(tag)
    if (show === null) return []
    const data = { type: `data-${tag}`, id: String(number), data: fields }
    const shown = show === undefined ? data : show({ _tag: tag, ...fields })
    if (shown === null || shown === undefined || shown === "") return []
    if (typeof shown === "string") return this.text(shown, "")
    if (Array.isArray(shown)) return [...this.close(""), ...shown.map((chunk) => chunkOf(chunk, tag))]
    const one = shown as UiText | UiChunk
    return isText(one) ? this.attempt(one) : [...this.close(""), chunkOf(one, tag)]
  }

  private attempt({ attempt = 1, part, text }: UiText): ReadonlyArray<UiChunk> | "again" {
    if (Number.isNaN(Number(attempt))) throw new TypeError(`the attempt of the text of part '${part}' is not a number`)
    const name = `part-${part}`
    const latest = this.latest.get(name) ?? 1
    if (attempt < latest) return []
    if (attempt === latest) return this.text(text, name)
    this.latest.set(name, attempt)
    // If nothing of it has been shown, there is nothing to take back.
    if (!this.open.has(name)) return this.text(text, name)
    this.open = new Map()
    this.texts = 0
    return "again"
  }

  private text(delta: string, name: string): ReadonlyArray<UiChunk> {
    const id = this.open.get(name)
    if (id !== undefined) return [{ type: "text-delta", id, delta }]
    const begun = name === "" ? `text-${++this.texts}` : name
    this.open.set(name, begun)
    return [
      { type: "text-start", id: begun },
      { type: "text-delta", id: begun, delta }
    ]
  }

  /** Text without a name ends where something else comes. */
  private close(name: string): ReadonlyArray<UiChunk> {
    const id = this.open.get(name)
    if (id === undefined) return []
    this.open.delete(name)
    return [{ type: "text-end", id }]
  }

  private end({ error, status }: { readonly status: string; readonly error?: RunFailure }): ReadonlyArray<UiChunk> {
    const ends = [...this.open.keys()].flatMap((name) => this.close(name))
    if (status === "stopped") return [...ends, { type: "finish", finishReason: "stop" }]
    if (status === "interrupted") return [...ends, { type: "abort", reason: "the run was interrupted" }]
    return [...ends, { type: "error", errorText: this.showing.error(error ?? { message: "" }) }]
  }
}
