// The example as a person meets it: a program that asks, and reads what is typed.
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, openSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { describe, expect, it, vi } from "vitest"

vi.setConfig({ testTimeout: 60_000 })

const main = fileURLToPath(new URL("./main.ts", import.meta.url))

/** The program, with what it has printed so far. */
const start = (input: "pipe" | "ignore" | number = "pipe") => {
  const program = spawn(process.execPath, [main, "Ada"], {
    stdio: [input, "pipe", "pipe"]
  }) as ChildProcessWithoutNullStreams
  const printed = { out: "", err: "" }
  program.stdout.on("data", (data) => (printed.out += data))
  program.stderr.on("data", (data) => (printed.err += data))
  const exited = once(program, "exit").then(([code]) => code as number | null)
  const says = async (text: string) => {
    while (!printed.out.includes(text) && program.exitCode === null) await once(program.stdout, "data")
    expect(printed.out).toContain(text)
  }
  return { program, printed, exited, says, type: (line: string) => program.stdin.write(`${line}\n`) }
}

const question = "Dear Ada, the release is out.\nSend it? (yes, no, or what to add)\n"

describe.concurrent("the letter", () => {
  it("asks, waits, and goes on when a person answers", async () => {
    const { printed, exited, says, type } = start()
    await says(question)
    type("yes")
    expect(await exited).toBe(0)
    expect(printed).toEqual({ out: `${question}Sent: Dear Ada, the release is out.\n`, err: "" })
  })

  it("asks again with what the person wanted", async () => {
    const { exited, says, type } = start()
    await says(question)
    type("It is fast.")
    await says("Dear Ada, the release is out. It is fast.\nSend it?")
    type("And small.")
    await says("Dear Ada, the release is out. It is fast. And small.\nSend it?")
    type("no")
    await says("Discarded after 3 drafts.")
    expect(await exited).toBe(0)
  })

  it("takes answers that were typed ahead", async () => {
    const { program, printed, exited } = start()
    program.stdin.end("It is fast.\nyes\n")
    expect(await exited).toBe(0)
    expect(printed.out).toContain("Sent: Dear Ada, the release is out. It is fast.\n")
  })

  it("says what it waits for when nobody will answer", async () => {
    const { program, printed, exited, says } = start()
    await says(question)
    program.stdin.end()
    expect(await exited).toBe(1)
    expect(printed.err).toBe("Unanswered: 'decide' waits for join([Draft, Answer]) and still needs Answer.\n")
  })

  it.each(["ignore", "a file"] as const)("says so too where its input is no pipe: %s", async (kind) => {
    // "ignore" is /dev/null, as under cron; a file holds answers, and here one too few.
    const file = join(mkdtempSync(join(tmpdir(), "letter-")), "answers")
    writeFileSync(file, "It is fast.\n")
    const { printed, exited } = start(kind === "ignore" ? kind : openSync(file, "r"))
    expect(await exited).toBe(1)
    expect(printed.err).toBe("Unanswered: 'decide' waits for join([Draft, Answer]) and still needs Answer.\n")
  })

  it("ends quietly at Ctrl-C, with a shell's code for it", async () => {
    const { program, printed, exited, says } = start()
    await says(question)
    program.kill("SIGINT")
    expect(await exited).toBe(130)
    expect(printed).toEqual({ out: question, err: "" })
  })

  it("says why it does not take an answer, and still waits for one", async () => {
    const { printed, program, exited, says, type } = start()
    await says(question)
    type("")
    while (printed.err === "") await once(program.stderr, "data")
    expect(printed.err).toMatch(/^Not taken: event 'Answer' does not fit its schema/)
    type("yes")
    expect(await exited).toBe(0)
    expect(printed.out).toContain("Sent: Dear Ada")
  })
})
