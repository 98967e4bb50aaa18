/** Runs a program in a pseudo-terminal and reads the screen. */

import { beforeEach, onTestFinished } from "vitest"
import { screen } from "./terminal.ts"

/** The library ships prebuilt binaries, but not for every platform. */
const library = await import("@lydell/node-pty").catch((error: unknown) => String(error))

/** Without it, these tests are skipped on a developer's machine, and fail in CI. */
const skipped = typeof library === "string" && process.env.CI !== "true"
export const needsTerminal = () => beforeEach(({ skip }) => skip(skipped, `no pseudo-terminal available: ${library}`))

const lookMillis = 10
const mostLooks = 5000

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
    /** Waits until some line matches, and returns all lines that do. */
    see: async (line: RegExp): Promise<ReadonlyArray<string>> => {
      for (let i = 0; ; i++) {
        const seen = await lines()
        if (seen.some((text) => line.test(text))) return seen
        if (i === mostLooks) throw new Error(`No line matches ${line}:\n${seen.join("\n")}`)
        await new Promise((resolve) => setTimeout(resolve, lookMillis))
      }
    },
    resize: async (columns: number) => {
      await resize(columns, 30)
      program.resize(columns, 30)
    },
    /** The exit code and the final screen. */
    ended: async () => ({ code: await ended, lines: await lines() })
  }
}
