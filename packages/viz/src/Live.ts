/**
 * A live view of a run in a terminal: each step's queued, running and finished work, and its rate.
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
  /** Default: `process.stderr`. If it is not a terminal, nothing is written. */
  readonly stream?: LiveStream | undefined
  /** Milliseconds between two frames. Default: 100. */
  readonly every?: number | undefined
}

export interface LiveView extends Disposable {
  /** Pass this to the run as `observe`. The view appears with the run's first entry and ends with its last. */
  readonly observe: Observer
  /** The current state of each step. */
  readonly status: () => ReadonlyArray<StepProgress>
  /** Draws the last frame if the run has not ended yet. */
  readonly stop: () => void
}

/**
 * Shows a run while it goes on, for programs that do not use Effect. Writes nothing if the output is not a terminal.
 *
 * Other output of the program appears above the view, and several views stack. A view shows one run: the first run of
 * its workflow that it observes.
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
 * Shows a run while it goes on. Wraps the Effect that `run` or `launch` returns.
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
    // Without a terminal, do no work at all.
    if (view.stopped) return running
    const shown = Effect.provideService(running, Observer, (entry) => {
      view.observe(entry)
      outer?.(entry)
    })
    // A launched run outlives the Effect, and so does its view.
    return Effect.onExit(shown, (exit) => (Exit.isSuccess(exit) ? Effect.void : Effect.sync(view.stop)))
  })

/** Whether a stream is a terminal with a movable cursor. */
const isSeen = ({ isTTY }: LiveStream): boolean => isTTY === true && process.env.TERM !== "dumb"

/** Stays on the screen from the first entry of its run to the last. */
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
    // The view's timer must not keep the program alive if the run hangs.
    this.timer = setInterval(() => screen.draw(), this.every)
    this.timer.unref()
  }

  private readonly lines = (columns: number, rows: number): ReadonlyArray<string> =>
    this.table.frame(columns, rows, hasColour(this.stream))
}
