// The example as a user meets it. Most tests run it in this process; a separate program is started only if its input or
// a signal matters.
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process"
import { EventEmitter, once } from "node:events"
import { mkdtempSync, openSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { PassThrough } from "node:stream"
import { fileURLToPath } from "node:url"
import { describe, expect, it, vi } from "vitest"
import { askAndAnswer } from "./terminal.ts"

vi.setConfig({ testTimeout: 60_000 })

const main = fileURLToPath(new URL("./main.ts", import.meta.url))

/** The output so far, and a way to wait for more. */
const listening = () => {
  const printed = { out: "", err: "" }
  const more = new EventEmitter()
  const hear = (name: keyof typeof printed) => (data: unknown) => {
    printed[name] += data
    more.emit("more")
  }
  const says = async (text: string, name: keyof typeof printed = "out") => {
    while (!printed[name].includes(text)) await once(more, "more")
  }
  return { printed, hear, says }
}

/** The letter in this process, with the input typed as for a program. */
const call = () => {
  const { printed, hear, says } = listening()
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()]
  stdout.on("data", hear("out"))
  stderr.on("data", hear("err"))
  const exited = askAndAnswer("Ada", { stdin, stdout, stderr }, new AbortController().signal)
  return { stdin, printed, exited, says, type: (line: string) => stdin.write(`${line}\n`) }
}

/** The program. */
const start = (input: "pipe" | "ignore" | number = "pipe") => {
  const { printed, hear, says } = listening()
  const program = spawn(process.execPath, [main, "Ada"], {
    stdio: [input, "pipe", "pipe"]
  }) as ChildProcessWithoutNullStreams
  program.stdout.on("data", hear("out"))
  program.stderr.on("data", hear("err"))
  const exited = once(program, "close").then(([code]) => code as number | null)
  return { program, printed, exited, says }
}

const question = "Dear Ada, the release is out.\nSend it? (yes, no, or what to add)\n"

describe.concurrent("the letter", () => {
  it("asks, waits, and continues when the user answers", async () => {
    const { printed, exited, says, type } = call()
    await says(question)
    type("yes")
    expect(await exited).toBe(0)
    expect(printed).toEqual({ out: `${question}Sent: Dear Ada, the release is out.\n`, err: "" })
  })

  it("asks again with the user's changes", async () => {
    const { exited, says, type } = call()
    await says(question)
    type("It is fast.")
    await says("Dear Ada, the release is out. It is fast.\nSend it?")
    type("And small.")
    await says("Dear Ada, the release is out. It is fast. And small.\nSend it?")
    type("no")
    await says("Discarded after 3 drafts.")
    expect(await exited).toBe(0)
  })

  it("accepts answers typed ahead", async () => {
    const { stdin, printed, exited } = call()
    stdin.end("It is fast.\nyes\n")
    expect(await exited).toBe(0)
    expect(printed.out).toContain("Sent: Dear Ada, the release is out. It is fast.\n")
  })

  it("reports the unanswered question when the input ends", async () => {
    const { stdin, printed, exited, says } = call()
    await says(question)
    stdin.end()
    expect(await exited).toBe(1)
    expect(printed.err).toBe("Unanswered: 'decide' waits for join([Draft, Answer]) and still needs Answer.\n")
  })

  it.each(["ignore", "a file"] as const)("does so if its input is not a pipe: %s", async (kind) => {
    // "ignore" is /dev/null, as under cron; the file holds one answer too few.
    const file = join(mkdtempSync(join(tmpdir(), "letter-")), "answers")
    writeFileSync(file, "It is fast.\n")
    const { printed, exited } = start(kind === "ignore" ? kind : openSync(file, "r"))
    expect(await exited).toBe(1)
    expect(printed.err).toBe("Unanswered: 'decide' waits for join([Draft, Answer]) and still needs Answer.\n")
  })

  it("ends quietly on Ctrl-C, with the usual exit code", async () => {
    const { program, printed, exited, says } = start()
    await says(question)
    program.kill("SIGINT")
    expect(await exited).toBe(130)
    expect(printed).toEqual({ out: question, err: "" })
  })

  it("explains why it rejects an answer, and waits for another", async () => {
    const { printed, exited, says, type } = call()
    await says(question)
    type("")
    await says("Not taken", "err")
    expect(printed.err).toMatch(/^Not taken: event 'Answer' does not fit its schema/)
    type("yes")
    expect(await exited).toBe(0)
    expect(printed.out).toContain("Sent: Dear Ada")
  })
})
