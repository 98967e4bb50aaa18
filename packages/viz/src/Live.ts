/**
 * The live view of a run in a terminal: what is queued, running and done in each step, and how fast.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { Observer } from "stepgraph"
import { refuseUnknown } from "stepgraph/internal"
import type { Drawable } from "./internal/drawable.ts"
import { Progress, type StepProgress } from "./internal/progress.ts"
import { ProgressTable } from "./internal/progress-table.ts"
import { type LiveStream, screenOf } from "./internal/screen.ts"
import { hasColour } from "./internal/terminal.ts"

export type { LiveStream }

export interface LiveOptions {
  /** Where to; `process.stderr` when left out. Nothing is written where it is no terminal. */
  readonly stream?: LiveStream | undefined
  /** How often it is drawn, in milliseconds; 100 when left out. */
  readonly every?: number | undefined
}

export interface LiveView extends Disposable {
  /** Give it to the run as `observe`: the view is there from the run's first entry to its last. */
  readonly observe: Observer
  /** How each step stands. */
  readonly status: () => ReadonlyArray<StepProgress>
  /** Draws it for the last time, where the run has not ended yet. */
  readonly stop: () => void
}

/**
 * Shows a run while it goes on, for programs that do not use Effect. Where the output is no terminal it writes nothing.
 *
 * What the program prints meanwhile stands above it, and several views stand one below the other. A view shows one run:
 * the first of its workflow that it is told of.
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
 * await runPromise(flow, {}, { observe: view.observe })
 * console.log(view.status()) // => [ { name: 'finish', held: 0, queued: 0, running: 0, done: 1, failed: 0, dropped: 0 } ]
 * ```
 */
export function liveView(flow: Drawable, options: LiveOptions = {}): LiveView {
  return new RunView(flow, options)
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
  Effect.flatMap(Observer, (outer) => {
    const view = new RunView(flow, options ?? {})
    // What nobody sees costs nothing.
    if (view.stopped) return running
    const shown = Effect.provideService(running, Observer, (entry) => {
      view.observe(entry)
      outer?.(entry)
    })
    // A run that was launched goes on, and so does its view.
    return Effect.onExit(shown, (exit) => (Exit.isSuccess(exit) ? Effect.void : Effect.sync(view.stop)))
  })

/** Whether a stream is a terminal in which a cursor can be moved. */
const isSeen = ({ isTTY }: LiveStream): boolean => isTTY === true && process.env.TERM !== "dumb"

/** Stands on the screen from the first entry of its run to the last. */
class RunView implements LiveView {
  private readonly progress: Progress
  private readonly table: ProgressTable
  private readonly stream: LiveStream
  private readonly every: number
  private timer: ReturnType<typeof setInterval> | undefined
  stopped: boolean

  constructor(flow: Drawable, options: LiveOptions) {
    refuseUnknown("liveView", options, ["stream", "every"])
    const now = () => performance.now()
    this.progress = new Progress(flow, now)
    this.table = new ProgressTable(this.progress, now)
    this.stream = options.stream ?? (process.stderr as LiveStream)
    this.every = options.every ?? 100
    this.stopped = !isSeen(this.stream)
  }

  readonly observe: Observer = (entry) => {
    this.progress.add(entry)
    if (this.stopped) return
    if (entry._tag === "RunStarted" && this.progress.state === "running") this.begin()
    if (entry._tag === "RunFinished" && this.progress.state === "over") this.stop()
  }

  readonly status = () => this.progress.status

  readonly stop = () => {
    this.stopped = true
    if (this.timer === undefined) return
    clearInterval(this.timer)
    this.timer = undefined
    screenOf(this.stream).remove(this.lines, this.lines(this.stream.columns || 80, Number.POSITIVE_INFINITY))
  };

  [Symbol.dispose](): void {
    this.stop()
  }

  private begin(): void {
    if (this.timer !== undefined) return
    const screen = screenOf(this.stream)
    screen.add(this.lines)
    // A run that hangs does not keep the program alive for being looked at.
    this.timer = setInterval(() => screen.draw(), this.every)
    this.timer.unref()
  }

  private readonly lines = (columns: number, rows: number): ReadonlyArray<string> =>
    this.table.frame(columns, rows, hasColour(this.stream))
}
