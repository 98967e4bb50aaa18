/** A program in a terminal, and what a person sees there. */

import { screen } from "@stepgraph/conformance/support/terminal"
import { beforeEach, onTestFinished } from "vitest"

/** It brings its part for the machine prebuilt; there are machines that it has none for. */
const library = await import("@lydell/node-pty").catch((error: unknown) => String(error))

/** Without it these tests are skipped on a person's machine, and fail where all of them have to run. */
const skipped = typeof library === "string" && process.env.CI !== "true"
export const needsTerminal = () =>
  beforeEach(({ skip }) => skip(skipped, `there is no terminal to start programs in: ${library}`))

const lookMillis = 10
const mostLooks = 2000

export const inTerminal = (args: ReadonlyArray<string>, { cwd, columns = 90 }: { cwd: string; columns?: number }) => {
  if (typeof library === "string") throw new Error(library)
  const { lines, write, resize } = screen(columns, 30)
  const env = { ...process.env, TERM: "xterm-256color", NO_COLOR: "1", FORCE_COLOR: undefined }
  const program = library.spawn(process.execPath, [...args], { cols: columns, rows: 30, cwd, env })
  program.onData(write)
  onTestFinished(() => program.kill())
  const ended = new Promise<number>((resolve) => program.onExit(({ exitCode }) => resolve(exitCode)))
  return {
    lines,
    type: (text: string) => program.write(text),
    /** Waits until a line is seen that is like this, and gives all that are. */
    see: async (line: RegExp): Promise<ReadonlyArray<string>> => {
      for (let i = 0; ; i++) {
        const seen = await lines()
        if (seen.some((text) => line.test(text))) return seen
        if (i === mostLooks) throw new Error(`There is no line like ${line} to be seen:\n${seen.join("\n")}`)
        await new Promise((resolve) => setTimeout(resolve, lookMillis))
      }
    },
    resize: async (columns: number) => {
      await resize(columns, 30)
      program.resize(columns, 30)
    },
    /** Its exit code, and all that is on the screen then. */
    ended: async () => ({ code: await ended, lines: await lines() })
  }
}
