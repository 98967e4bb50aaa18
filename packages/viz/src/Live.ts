/**
 * The live view of a run in a terminal: what is queued, running and done in each step, and how fast.
 */
import * as Effect from "effect/Effect"
import { Observer } from "stepgraph"
import { Progress, type StepProgress } from "./internal/progress.ts"
import type { Drawable } from "./internal/workflow.ts"

/** What a live view is written to: `process.stderr`, or what looks like it. */
export interface LiveStream {
  readonly isTTY?: boolean
  readonly columns?: number
  readonly rows?: number
  write(text: string, ...rest: Array<any>): boolean
}

export interface LiveOptions {
  /** Where to; `process.stderr` when left out. Nothing is written where it is no terminal. */
  readonly stream?: LiveStream
  /** How often it is drawn, in milliseconds; 100 when left out. */
  readonly every?: number
}

export interface LiveView extends Disposable {
  /** Give it to the run as `observe`. */
  readonly observe: Observer
  /** How each step stands. */
  readonly status: () => ReadonlyArray<StepProgress>
  /** Draws it for the last time. */
  readonly stop: () => void
}

/**
 * Shows a run while it goes on, for programs that do not use Effect. Where the output is no terminal it writes nothing.
 *
 * What the program prints meanwhile stands above it.
 *
 * @example
 * ```ts
 * import { defineEvent, defineStep, runPromise, workflow } from "stepgraph"
 * import { liveView } from "@stepgraph/viz"
 *
 * const Start = defineEvent("Start")
 * const Stop = defineEvent("Stop")
 * const finish = defineStep({ accepts: Start, emits: Stop, run: () => Stop() })
 * const flow = workflow({ name: "short", start: Start, stop: Stop, steps: { finish } })
 *
 * const view = liveView(flow)
 * await runPromise(flow, {}, { observe: view.observe }).finally(view.stop)
 * console.log(view.status()) // => [ { name: 'finish', held: 0, queued: 0, running: 0, done: 1, failed: 0 } ]
 * ```
 */
export function liveView(flow: Drawable, options: LiveOptions = {}): LiveView {
  const progress = new Progress(flow, () => performance.now())
  const stream = options.stream ?? (process.stderr as LiveStream)
  const stop = stream.isTTY === true ? show(progress, stream, options.every ?? 100) : () => {}
  return {
    observe: (entry) => progress.add(entry),
    status: () => progress.status,
    stop,
    [Symbol.dispose]: stop
  }
}

/**
 * Shows a run while it goes on: wraps what `run` or `launch` gives.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { defineEvent, defineStep, run, workflow } from "stepgraph"
 * import { withLiveView } from "@stepgraph/viz"
 *
 * const Start = defineEvent("Start")
 * const Stop = defineEvent("Stop")
 * const finish = defineStep({ accepts: Start, emits: Stop, run: () => Stop() })
 * const flow = workflow({ name: "short", start: Start, stop: Stop, steps: { finish } })
 *
 * console.log(await Effect.runPromise(withLiveView(run(flow), flow))) // => { _tag: 'Stop' }
 * ```
 */
export const withLiveView = <A, E, R>(
  running: Effect.Effect<A, E, R>,
  flow: Drawable,
  options?: LiveOptions
): Effect.Effect<A, E, R> =>
  Effect.flatMap(Observer, (outer) =>
    Effect.acquireUseRelease(
      Effect.sync(() => liveView(flow, options)),
      (view) =>
        Effect.provideService(running, Observer, (entry) => {
          view.observe(entry)
          outer?.(entry)
        }),
      (view) => Effect.sync(view.stop)
    )
  )

/** Draws the progress below whatever else is printed, until it is told to stop. */
const show = (progress: Progress, stream: LiveStream, every: number): (() => void) => {
  let drawn = 0
  let stopped = false
  const restore: Array<() => void> = []
  const write = stream.write.bind(stream)
  const erase = () => {
    if (drawn > 0) write(`\u001b[${drawn}A\u001b[0J`)
    drawn = 0
  }
  const draw = () => {
    // A view that is higher than the terminal could not be erased.
    const lines = progress
      .lines(stream.columns ?? 80, process.env.NO_COLOR === undefined)
      .slice(0, (stream.rows ?? 24) - 1)
    erase()
    write(lines.map((line) => `${line}\n`).join(""))
    drawn = lines.length
  }
  // What others print goes above: the view makes room, and is drawn again when its turn comes.
  for (const other of new Set<LiveStream>([process.stdout, process.stderr, stream])) {
    if (other.isTTY !== true) continue
    const original = other.write
    other.write = function (this: LiveStream, ...args: Parameters<LiveStream["write"]>) {
      erase()
      return original.apply(this, args)
    }
    restore.push(() => (other.write = original))
  }
  const timer = setInterval(draw, every)
  timer.unref()
  return () => {
    if (stopped) return
    stopped = true
    clearInterval(timer)
    draw()
    for (const undo of restore) undo()
  }
}
