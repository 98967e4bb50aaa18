/**
 * A run as the stream that the AI SDK reads: one message, from its first chunk on.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Stream from "effect/Stream"
import type { Page, ServedRun } from "../Runs.ts"
import type { Readers } from "./readers.ts"
import type { StreamingOptions } from "./streaming.ts"
import { type Showing, type UiChunk, UiMessage } from "./ui-message.ts"

const encoder = new TextEncoder()
const textOf = (chunks: ReadonlyArray<UiChunk>): string =>
  chunks.map((chunk) => `data: ${JSON.stringify(chunk)}\n\n`).join("")
const done = "data: [DONE]\n\n"

export const uiStreamed = (
  run: ServedRun,
  showing: Showing,
  readers: Readers,
  { heartbeat, open }: StreamingOptions
): HttpServerResponse.HttpServerResponse => {
  const message = new UiMessage(run.summary.id, showing)
  let place = 0
  let over = false

  const shown = (page: Page): string => {
    const chunks: Array<UiChunk> = []
    for (const record of page.records) {
      const some = message.of(record)
      if (some === "again") {
        place = 0
        return textOf([...chunks, { type: "reset-step" }])
      }
      chunks.push(...some)
      place = record.number
    }
    over = page.over
    return over ? textOf(chunks) + done : textOf(chunks)
  }
  const next = Effect.suspend(() =>
    Effect.raceFirst(Effect.map(run.events(place), shown), Effect.as(Effect.sleep(heartbeat), ": still here\n\n"))
  )
  const pull: Effect.Effect<readonly [Uint8Array], Cause.Done> = Effect.suspend(() =>
    over
      ? Cause.done()
      : next.pipe(
          // What is shown of an event is the program's own code. What its exception says is for the log.
          Effect.catchDefect((defect) => {
            over = true
            return Effect.as(
              Effect.logError(defect),
              textOf([{ type: "error", errorText: "The answer cannot be shown." }]) + done
            )
          }),
          // Of some pages, nothing is shown.
          Effect.flatMap((text) => (text === "" ? pull : Effect.succeed([encoder.encode(text)] as const)))
        )
  )
  const reading = Effect.acquireRelease(
    Effect.sync(() => {
      open.count++
      readers.enter(run)
    }),
    () =>
      Effect.sync(() => {
        open.count--
        readers.leave(run)
      })
  )
  const records = Stream.unwrap(Effect.map(reading, () => Stream.fromPull(Effect.succeed(pull))))
  return HttpServerResponse.stream(Stream.concat(Stream.succeed(encoder.encode(textOf(message.begin))), records), {
    contentType: "text/event-stream",
    // A proxy must pass on each chunk at once.
    headers: { "x-vercel-ai-ui-message-stream": "v1", "x-accel-buffering": "no" }
  })
}
