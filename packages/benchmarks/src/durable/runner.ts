/**
 * One process of a candidate at a time, which can be killed in the middle of a step.
 */
import { type ChildProcess, fork } from "node:child_process"
import type { Order, Report } from "./process.ts"

type Measured = Exclude<Report, { readonly wrong: string }>

export class Process {
  private readonly child: ChildProcess
  private readonly title: string
  private complaints = ""
  /** Called with the number of each step that begins, if this process is to be killed. */
  onStep: (n: number) => void = () => {}

  constructor(title: string, program: string, file: string) {
    this.title = title
    this.child = fork(program, [file], {
      execArgv: ["--expose-gc"],
      stdio: ["ignore", "pipe", "pipe", "ipc"]
    })
    this.child.stderr!.on("data", (chunk) => (this.complaints = (this.complaints + chunk).slice(-2000)))
    let rest = ""
    this.child.stdout!.on("data", (chunk) => {
      const lines = (rest + chunk).split("\n")
      rest = lines.pop()!
      for (const line of lines) if (/^\d+$/.test(line)) this.onStep(Number(line))
    })
  }

  /** Gives up after so many seconds. */
  do(order: Order, seconds = 60): Promise<Measured> {
    return new Promise((resolve, reject) => {
      const settle = (end: () => void) => {
        clearTimeout(timer)
        this.child.off("message", heard)
        this.child.off("exit", gone)
        end()
      }
      const fail = (what: string) =>
        settle(() => reject(new Error(`${this.title}, ${order.do}: ${what} ${this.complaints}`.trim())))
      const heard = (report: Report) => ("wrong" in report ? fail(report.wrong) : settle(() => resolve(report)))
      const gone = (code: number | null, signal: string | null) => fail(`its process ended with ${code ?? signal}`)
      const timer = setTimeout(() => fail(`took more than ${seconds} s`), seconds * 1000)
      this.child.once("message", heard)
      this.child.once("exit", gone)
      this.child.send(order)
    })
  }

  kill(): Promise<void> {
    return new Promise((resolve) => {
      if (this.child.exitCode !== null || this.child.signalCode !== null) return resolve()
      this.child.once("exit", () => resolve())
      this.child.kill("SIGKILL")
    })
  }
}
