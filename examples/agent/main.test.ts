// The agent as its user meets it, against a server that speaks the protocol over HTTP. A separate program is started only
// if a signal or its end matters.
import { spawn } from "node:child_process"
import { EventEmitter, once } from "node:events"
import { mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { PassThrough } from "node:stream"
import { setTimeout as sleep } from "node:timers/promises"
import { fileURLToPath } from "node:url"
import { timeline } from "@stepgraph/viz"
import { runPromise, type TraceEntry } from "stepgraph"
import { describe, expect, it, type TestContext } from "vitest"
import { openAiModel } from "./model.ts"
import { startScripted } from "./scripted.ts"
import { converse } from "./terminal.ts"
import { fileTools } from "./tools.ts"
import { agent } from "./workflow.ts"

const folderOf = async ({ onTestFinished }: TestContext, files: Record<string, string>) => {
  const folder = await mkdtemp(join(tmpdir(), "agent-test-"))
  onTestFinished(() => rm(folder, { recursive: true }))
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text)
  return folder
}

const notes = { "a.md": "All is well.\nReally.\n", "b.md": "A bug.\n" }

/** An agent of the scripted model, on a folder. */
const setUp = async (test: TestContext, options: Parameters<typeof startScripted>[0] = {}, turns?: number) => {
  const folder = await folderOf(test, notes)
  const server = await startScripted(options)
  test.onTestFinished(() => server[Symbol.asyncDispose]())
  const tools = fileTools(folder)
  const flow = agent(openAiModel({ baseURL: server.baseURL, apiKey: "none", model: "scripted", tools }), tools, turns)
  return { folder, server, flow }
}

/** The agent in this process, with the input typed as for a program. */
const call = (flow: ReturnType<typeof agent>, signal = new AbortController().signal) => {
  const printed = { out: "", err: "" }
  const trace: Array<TraceEntry> = []
  const more = new EventEmitter()
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()]
  stdout.on("data", (data) => {
    printed.out += data
    more.emit("more")
  })
  stderr.on("data", (data) => {
    printed.err += data
  })
  const says = async (text: string) => {
    while (!printed.out.includes(text)) await once(more, "more")
  }
  const exited = converse(
    flow,
    "Summarise.",
    { stdin, stdout, stderr },
    { signal, observe: (entry) => trace.push(entry) }
  )
  return { stdin, printed, trace, exited, says }
}

const input = '{"name":"summary.md","text":"- All is well.\\n- A bug.\\n"}'
const printedInFull = `Let me look at your files.
  list_files {}
I read all 2 at once.
  read_file {"name":"a.md"}
  read_file {"name":"b.md"}
I write the summary.
  write_file ${input}
  Allow write_file ${input}? (yes or no)

Done: see summary.md.
`

describe.concurrent("the agent", () => {
  it("reads side by side, asks before it writes, and answers", async (test) => {
    const { folder, server, flow } = await setUp(test)
    const { stdin, printed, trace, exited, says } = call(flow)
    await says("(yes or no)\n")
    expect(await readdir(folder)).not.toContain("summary.md")
    stdin.write("yes\n")
    expect(await exited).toBe(0)
    expect(printed).toEqual({ out: printedInFull, err: "" })
    expect(await readFile(join(folder, "summary.md"), "utf8")).toBe("- All is well.\n- A bug.\n")

    // What the server has heard: the whole conversation, each call with its result, in order.
    const heard = server.requests.at(-1)!
    expect(heard.messages.map(({ role }) => role).join(" ")).toBe(
      "user assistant tool assistant tool tool assistant tool"
    )
    expect(heard.messages[4]).toEqual({ role: "tool", tool_call_id: "call-2-0", content: "All is well.\nReally.\n" })
    expect(heard.tools[1]).toMatchObject({
      type: "function",
      function: { name: "read_file", parameters: { type: "object", required: ["name"] } }
    })

    // Its timeline: four turns, and both files read at once.
    const { invocations } = timeline(trace, { workflow: flow })
    const used = invocations.filter(({ step }) => step === "use")
    expect(invocations.filter(({ step }) => step === "think")).toHaveLength(4)
    expect(used).toHaveLength(4)
    expect(used[2]!.start.seq).toBeLessThan(used[1]!.end.seq)
  })

  it("tells the model that the user said no", async (test) => {
    const { folder, server, flow } = await setUp(test)
    const { stdin, printed, exited } = call(flow)
    stdin.write("no\n")
    expect(await exited).toBe(0)
    expect(printed.out).toContain("Not done. The user said no.\n")
    expect(server.requests.at(-1)!.messages.at(-1)).toMatchObject({ content: "The user said no." })
    expect(await readdir(folder)).toEqual(["a.md", "b.md"])
  })

  it("goes on without a yes if nobody is there", async (test) => {
    const { folder, flow } = await setUp(test)
    const { stdin, printed, exited } = call(flow)
    stdin.end()
    expect(await exited).toBe(0)
    expect(printed.out).toContain("Not done. Nobody could be asked, so it was not done.\n")
    expect(await readdir(folder)).toEqual(["a.md", "b.md"])
  })

  it("shows tokens as they come, though the line is cut and the server busy", async (test) => {
    const { server, flow } = await setUp(test, { faults: ["busy", "cut"] })
    const { stdin, printed, exited } = call(flow)
    stdin.write("yes\n")
    expect(await exited).toBe(0)
    expect(printed.out).toMatch(/^Let me look … the line was cut, again:\nLet me look at your files\.\n/)
    expect(server.requests).toHaveLength(6)
  })

  it("does not ask again what the model refuses", async (test) => {
    const { server, flow } = await setUp(test, { faults: ["refused"] })
    const { printed, exited } = call(flow)
    expect(await exited).toBe(1)
    expect(printed.err).toContain("step 'think' of workflow 'agent' rejected")
    expect(printed.err).toContain("401")
    expect(server.requests).toHaveLength(1)
  })

  it("gives up after its turns", async (test) => {
    const { flow } = await setUp(test, { script: () => ({ text: "Again.", calls: [["list_files", {}]] }) }, 3)
    const { printed, exited } = call(flow)
    expect(await exited).toBe(1)
    expect(printed.err).toBe("\nGave up after 3 turns.\n")
  })

  it("remembers the conversation that it is given", async (test) => {
    const { server, flow } = await setUp(test, { script: (heard) => ({ text: `${heard.length} messages` }) })
    const first = await runPromise(flow, { text: "One" })
    expect(first).toMatchObject({ _tag: "Answer", text: "1 messages" })
    const second = await runPromise(flow, { text: "Two", earlier: first.conversation })
    expect(second).toMatchObject({ text: "3 messages" })
    expect(server.requests[1]!.messages.map(({ content }) => content)).toEqual(["One", "1 messages", "Two"])
  })

  it("tells the model what was wrong with a call", async (test) => {
    const calls = [
      ["read_file", { name: "../secret" }],
      ["read_file", { name: "link" }],
      ["read_file", {}],
      ["fly", {}]
    ] as const
    const { folder, flow } = await setUp(test, {
      script: (heard) =>
        heard.length === 1 ? { text: "", calls: calls as never } : { text: JSON.stringify(heard.slice(2)) }
    })
    await symlink(fileURLToPath(import.meta.url), join(folder, "link"))
    const { text } = (await runPromise(flow, { text: "Try." })) as { readonly text: string }
    const told = JSON.parse(text).map(({ content }: { readonly content: string }) => content)
    expect(told).toEqual([
      expect.stringContaining("'../secret' is not a file of this folder"),
      expect.stringContaining("'link' is not a file of this folder"),
      expect.stringContaining("Missing key"),
      "There is no tool 'fly'."
    ])
  })

  it("closes its connection when it is interrupted in the middle of a token", async (test) => {
    const { server, flow } = await setUp(test, { pause: 60_000 })
    const interrupt = new AbortController()
    const { printed, exited, says } = call(flow, interrupt.signal)
    await says("Let ")
    interrupt.abort()
    expect(await exited).toBe(130)
    while ((await server.connections()) > 0) await sleep(5)
    expect(printed).toEqual({ out: expect.stringMatching(/^Let /), err: "" })
  })
})

describe.concurrent("node main.ts", () => {
  const start = async (test: TestContext) => {
    const temporary = await folderOf(test, {})
    const program = spawn(process.execPath, [fileURLToPath(new URL("./main.ts", import.meta.url))], {
      env: { PATH: process.env.PATH, TMPDIR: temporary }
    })
    let out = ""
    program.stdout.on("data", (data) => {
      out += data
      if (out.includes("Allow")) program.emit("asks")
    })
    let err = ""
    program.stderr.on("data", (data) => {
      err += data
    })
    const exited = once(program, "close").then(([code]) => code as number | null)
    return { program, exited, temporary, printed: () => ({ out, err }) }
  }

  it("ends by itself, and leaves nothing", { timeout: 60_000 }, async (test) => {
    const { program, exited, temporary, printed } = await start(test)
    program.stdin.write("yes\n")
    expect(await exited).toBe(0)
    expect(printed().out).toContain("I read all … the line was cut, again:\nI read all 3 at once.\n")
    expect(printed().out).toMatch(/Done: see summary\.md\.\n$/)
    expect(printed().err).toBe("")
    expect(await readdir(temporary)).toEqual([])
  })

  it("does so on Ctrl-C, too, with an open question", { timeout: 60_000 }, async (test) => {
    const { program, exited, temporary, printed } = await start(test)
    await once(program, "asks")
    program.kill("SIGINT")
    expect(await exited).toBe(130)
    expect(printed().err).toBe("")
    expect(await readdir(temporary)).toEqual([])
  })
})
