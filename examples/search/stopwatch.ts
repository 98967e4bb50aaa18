// Records when each invocation began and ended, and how many ran at once. It measures from outside: a workflow is plain
// data, so a copy with wrapped step functions is a workflow too.

/** One invocation of a step; times are in milliseconds. */
export interface Span {
  readonly step: string
  readonly start: number
  readonly end: number
}

interface Steps {
  readonly [name: string]: { readonly run: (input: never, ctx: never) => unknown }
}

/** A copy of the workflow that records a span for each invocation. */
export const timed = <Flow extends { readonly steps: Steps }>(flow: Flow, spans: Array<Span>): Flow => ({
  ...flow,
  steps: Object.fromEntries(
    Object.entries(flow.steps).map(([step, definition]) => {
      const run = (input: never, ctx: never) => measured(step, spans, () => definition.run(input, ctx))
      return [step, { ...definition, run }]
    })
  )
})

/** Makes one call and records its span. */
export const measured = <A>(step: string, spans: Array<Span>, call: () => A): A => {
  const start = performance.now()
  const ended = () => void spans.push({ step, start, end: performance.now() })
  const result = call()
  if (result instanceof Promise) return result.finally(ended) as A
  if (isAsyncIterable(result)) return thatTells(result, ended) as A
  ended()
  return result
}

const isAsyncIterable = (value: unknown): value is AsyncIterable<unknown> =>
  typeof value === "object" && value !== null && Symbol.asyncIterator in value

async function* thatTells(events: AsyncIterable<unknown>, ended: () => void) {
  try {
    yield* events
  } finally {
    ended()
  }
}

/** The largest number of spans that overlap. */
export const mostAtOnce = (spans: ReadonlyArray<Span>): number => {
  // At equal times, an end comes before a start: a span that begins as another ends does not overlap it.
  const changes = spans
    .flatMap(({ start, end }) => [[start, 1] as const, [end, -1] as const])
    .sort(([a, up], [b, upToo]) => a - b || up - upToo)
  let now = 0
  let most = 0
  for (const [, change] of changes) {
    now += change
    most = Math.max(most, now)
  }
  return most
}
