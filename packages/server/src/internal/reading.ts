/**
 * Reads a stream of records to its typed end, over as many connections as it takes.
 */
import { type Caller, EventsDropped } from "./calling.ts"

export interface ReadRecord {
  readonly number: number
  readonly kind: "output" | "trace" | "log" | "dropped" | "end"
  readonly data: any
}

/**
 * An iterator whose `return` ends its request at once: an async generator alone would first wait for its next record, which may
 * be long in coming.
 */
export const leavable = <A>(read: (signal: AbortSignal) => AsyncGenerator<A, void>): AsyncIterableIterator<A, void> => {
  const controller = new AbortController()
  const generator = read(controller.signal)
  return {
    next: () => generator.next(),
    return: (value) => {
      controller.abort()
      return generator.return(value as never)
    },
    throw: (error) => {
      controller.abort()
      return generator.throw(error)
    },
    [Symbol.asyncIterator]() {
      return this
    }
  }
}

/** Every record from the first on, once and in order, until the signal is aborted. */
export async function* recordsOf(call: Caller, path: string, signal: AbortSignal): AsyncGenerator<ReadRecord, void> {
  let last = 0
  let failures = 0
  try {
    for (;;) {
      const response = await call.response("GET", `${path}?after=${last}`, {
        headers: { accept: "application/x-ndjson" },
        signal
      })
      // It has nothing after the last one: the end has been read.
      if (response.status === 204 || response.body === null) return
      let cause: unknown = new Error("the connection was closed before the end of the stream")
      try {
        for await (const record of linesOf(response.body)) {
          if (record.number <= last) continue
          if (record.kind === "dropped") throw new EventsDropped(record.data.dropped)
          last = record.number
          failures = 0
          yield record
          if (record.kind === "end") return
        }
      } catch (error) {
        if (error instanceof EventsDropped) throw error
        cause = error
      }
      await call.pause(`GET ${path}`, ++failures, cause, signal)
    }
  } catch (error) {
    if (!signal.aborted) throw error
  }
}

/** Complete lines only: the rest of a broken connection is sent again. */
async function* linesOf(body: ReadableStream<Uint8Array>): AsyncGenerator<ReadRecord, void> {
  const reader = body.getReader()
  const decoder = new TextDecoder()
  let rest = ""
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      const lines = (rest + decoder.decode(value, { stream: true })).split("\n")
      rest = lines.pop()!
      // An empty line is a sign of life.
      for (const line of lines) if (line !== "") yield JSON.parse(line)
    }
  } finally {
    reader.cancel().catch(() => {})
  }
}
