/**
 * A feed as an HTTP response: server-sent events, or JSON lines.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Stream from "effect/Stream"
import type { Feed, Page, StreamRecord } from "../Runs.ts"

interface Format {
  readonly contentType: string
  readonly record: (record: StreamRecord) => string
  /** Keeps the connection alive; readers skip it. */
  readonly heartbeat: string
}

const sse: Format = {
  contentType: "text/event-stream",
  // JSON text has no line breaks.
  record: ({ json, kind, number }) => `id: ${number}\nevent: ${kind}\ndata: ${json}\n\n`,
  heartbeat: ": still here\n\n"
}

const ndjson: Format = {
  contentType: "application/x-ndjson",
  record: ({ json, kind, number }) => `{"number":${number},"kind":"${kind}","data":${json}}\n`,
  heartbeat: "\n"
}

/** By the `Accept` header: JSON lines for who asks for them, events for all others. */
const formatOf = (accept: string | undefined): Format => (/ndjson|jsonl/i.test(accept ?? "") ? ndjson : sse)

export interface StreamingOptions {
  /** Milliseconds between heartbeats. */
  readonly heartbeat: number
  /** The number of open streams, shared by all requests. */
  readonly open: { count: number }
}

const encoder = new TextEncoder()

/** The records after one, up to the last of the run; 204 for a reader who has them all. */
export const streamed = (
  feed: Feed,
  /** Whether the run has ended, so that the feed has everything. */
  ended: boolean,
  after: number,
  accept: string | undefined,
  { heartbeat, open }: StreamingOptions
): Effect.Effect<HttpServerResponse.HttpServerResponse> =>
  Effect.gen(function* () {
    const format = formatOf(accept)
    let place = after
    let over = false
    let first: Page | undefined = ended ? yield* feed(place) : undefined
    if (first?.over === true && first.records.length === 0) return HttpServerResponse.empty({ status: 204 })
    const next: Effect.Effect<Page | undefined> = Effect.suspend(() => {
      const given = first
      first = undefined
      return given === undefined
        ? Effect.raceFirst(feed(place), Effect.as(Effect.sleep(heartbeat), undefined))
        : Effect.succeed(given)
    })
    const pull: Effect.Effect<readonly [Uint8Array], Cause.Done> = Effect.suspend(() =>
      over
        ? Cause.done()
        : Effect.map(next, (page) => {
            if (page === undefined) return [encoder.encode(format.heartbeat)] as const
            over = page.over
            place = page.records.at(-1)?.number ?? place
            return [encoder.encode(page.records.map(format.record).join(""))] as const
          })
    )
    const body = Stream.unwrap(
      Effect.map(
        Effect.acquireRelease(
          Effect.sync(() => open.count++),
          () => Effect.sync(() => open.count--)
        ),
        () => Stream.fromPull(Effect.succeed(pull))
      )
    )
    return HttpServerResponse.stream(body, {
      contentType: format.contentType,
      // A proxy must pass on each record at once.
      headers: { "x-accel-buffering": "no" }
    })
  })
