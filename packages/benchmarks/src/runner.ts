/**
 * One candidate in a separate process, restarted if it had to be killed.
 */
import { type ChildProcess, fork } from "node:child_process"
import type { Order, Report } from "./process.ts"
import type { Name, Workload } from "./workloads.ts"

/** One measurement: the duration, a timeout, or an error. */
export type Measured =
  | { readonly millis: number; readonly cpu: number; readonly memory: number; readonly heap: number }
  | { readonly over: number }
  | { readonly wrong: string }

export class Runner {
  readonly title: string
  private readonly file: string
  private process: ChildProcess | undefined
  /** The supported workloads, known once the process has started. */
  names: ReadonlyArray<Name> = []

  constructor(title: string, file: string) {
    this.title = title
    this.file = file
  }

  async begin(): Promise<void> {
    // Output of a library must not mix with the report.
    const started = fork(new URL("./process.ts", import.meta.url), [this.file], {
      execArgv: ["--expose-gc"],
      stdio: ["ignore", "ignore", "pipe", "ipc"]
    })
    let complaints = ""
    started.stderr!.on("data", (chunk) => (complaints = (complaints + chunk).slice(-2000)))
    const report = await this.next(started, 60_000, () => complaints)
    if (!("ready" in report)) throw new Error(`${this.title} could not start: ${JSON.stringify(report)}`)
    this.process = started
    this.names = report.ready
  }

  /** Runs a round of a workload, and gives up after so many seconds. */
  async measure({ name, size, times, answer }: Workload, capSeconds: number): Promise<Measured> {
    if (this.process === undefined) await this.begin()
    const running = this.process!
    running.send({ name, size, times, answer } satisfies Order)
    const report = await this.next(running, capSeconds * 1000, () => "")
    if (!("ready" in report)) return report
    this.end()
    return { over: capSeconds }
  }

  end(): void {
    this.process?.kill("SIGKILL")
    this.process = undefined
  }

  /** The next report of the process; a timeout if there is none in time. */
  private next(running: ChildProcess, millis: number, complaints: () => string): Promise<Report> {
    return new Promise((resolve) => {
      const settle = (report: Report) => {
        clearTimeout(timer)
        running.off("message", settle)
        running.off("exit", gone)
        resolve(report)
      }
      const gone = (code: number | null) => {
        this.process = undefined
        settle({ wrong: `its process ended with ${code}: ${complaints()}` })
      }
      const timer = setTimeout(() => settle({ ready: [] }), millis)
      running.once("message", settle)
      running.once("exit", gone)
    })
  }
}
