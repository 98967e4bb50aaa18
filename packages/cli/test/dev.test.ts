// `stepgraph dev` and `stepgraph open` as processes, as a user and a browser meet them.
import { readFile, rm } from "node:fs/promises"
import { createServer, type Server } from "node:http"
import { connect } from "node:net"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it, vi } from "@effect/vitest"
import { copyInto, linkInto } from "@stepgraph/conformance/support/copies"
import { inFolder, inSession } from "./support/command-line.ts"
import { endAll, type Serving, serving } from "./support/served.ts"

// These tests start processes while other tests run.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

const { place, file } = inFolder()
const { stepgraph } = inSession(place)
beforeAll(() => linkInto(place.folder))
afterAll(endAll)

/** Imports the packages by their names, as users do. */
const flowFile = (name: string, text: string) =>
  file(
    name,
    `import { Effect, Schema } from "effect"
import { defineEvent, defineStep, join, workflow } from "stepgraph"
const Start = defineEvent("Start")
const Stop = defineEvent("Stop")
${text}
`
  )
const short = (name: string) =>
  `export const ${name} = workflow({ name: "given", start: Start, stop: Stop, steps: {
  a: defineStep({ accepts: Start, emits: Stop, run: () => Stop() }) } })`

const greeting = (word: string) => file("words.ts", `export const greeting: string = ${JSON.stringify(word)}\n`)

const flowText = (steps: string) => `import { appendFileSync } from "node:fs"
import { greeting } from "./words.ts"
const Name = defineEvent("Name", { name: Schema.String })
const Go = defineEvent("Go")
const Hello = defineEvent("Hello", { text: Schema.String })
const greet = defineStep({ accepts: Name, emits: Hello, run: ({ name }) => Hello({ text: greeting + name }) })
const wait = defineStep({ accepts: join([Start, Go]), emits: Stop, run: () => Stop() })
const note = (text: string) => Effect.sync(() => appendFileSync("notes.txt", text))
const hang = defineStep({ accepts: Start, emits: Stop, run: () => Effect.onInterrupt(Effect.never, () => note("cleaned up\\n")) })
${steps}`

const three = `export const greeter = workflow({ name: "greet", start: Name, stop: Hello, steps: { greet } })
export const waiter = workflow({ name: "wait", start: Start, stop: Stop, inputs: [Go], steps: { wait } })
export const hanger = workflow({ name: "hang", start: Start, stop: Stop, steps: { hang } })`

describe("stepgraph dev", () => {
  let dev: Serving
  const greet = async () => (await dev.json("api/workflows/greet/runs?wait=10s", { name: "Ada" })).stop?.text

  beforeAll(async () => {
    await greeting("Hello ")
    await flowFile("flow.ts", flowText(three))
    dev = await serving(place.folder, "dev", "flow.ts")
  })

  it("prints one URL, whose token is in the fragment and is asked for", async () => {
    expect(dev.out()).toBe(`http://localhost:${dev.port}/#token=${dev.token}\n`)
    expect(dev.token).toMatch(/^[\w-]{32}$/)
    expect(dev.err()).toContain("Serving 3 workflows, 'greet', 'hang' and 'wait'. Reloads when a file is saved.\n")
    expect((await dev.ask("api/workflows", { headers: { authorization: "" } })).status).toBe(401)
    expect((await dev.json("api/workflows")).map(({ name }: any) => name)).toEqual(["greet", "hang", "wait"])
    // This folder lacks the package.
    expect((await dev.json("api/status")).explores).toBe(
      "Trying every order needs a package that is not installed. Run npm install --save-dev @stepgraph/testing, and start this command again."
    )
    for (const address of ["127.0.0.1", "[::1]"]) {
      expect([address, (await fetch(`http://${address}:${dev.port}/`)).status]).toEqual([address, 200])
    }
  })

  it("gives the page without the token, with a policy that lets it ask nobody else, and keeps nothing of it", async () => {
    const response = await fetch(dev.url)
    expect(response.status).toBe(200)
    expect(response.headers.get("content-type")).toBe("text/html; charset=utf-8")
    expect(response.headers.get("cache-control")).toBe("no-store")
    const policy = response.headers.get("content-security-policy")!
    for (const part of ["default-src 'none'", "script-src 'self'", "connect-src 'self'", "frame-ancestors 'none'"]) {
      expect(policy.split("; ")).toContain(part)
    }
    const html = await response.text()
    const names = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, name]) => name!)
    expect(names.filter((name) => !/^[\w.-]+$/.test(name) && name !== "data:,")).toEqual([])
    for (const name of names.filter((name) => name !== "data:,")) {
      const asset = await fetch(`${dev.url}${name}`)
      expect([name, asset.status, asset.headers.get("x-content-type-options")]).toEqual([name, 200, "nosniff"])
    }
  })

  /** A request line as it is: `fetch` would tidy the path. */
  const raw = (path: string, headers: Readonly<Record<string, string>> = {}): Promise<number> =>
    new Promise((resolve, reject) => {
      const lines = Object.entries({ host: `localhost:${dev.port}`, ...headers }).map(([k, v]) => `${k}: ${v}\r\n`)
      const socket = connect(dev.port, "127.0.0.1", () =>
        socket.write(`GET ${path} HTTP/1.1\r\n${lines.join("")}connection: close\r\n\r\n`)
      )
      socket.once("data", (data) => {
        resolve(Number(/^HTTP\/1.1 (\d+)/.exec(data.toString())?.[1]))
        socket.destroy()
      })
      socket.once("error", reject)
    })

  it("has no files but those of the page, and refuses a path that is another one in disguise", async () => {
    const unknown = ["/flow.ts", "/..%2fflow.ts", "/page.js/", "//page.js", "/page.js%00", "/__proto__", "/constructor"]
    for (const path of unknown) expect([path, await raw(path)]).toEqual([path, 404])
    const disguised = [
      "/../flow.ts",
      "/../../../../etc/passwd",
      "/%2e%2e/flow.ts",
      "/index.html/../../flow.ts",
      "/\\..\\flow.ts"
    ]
    for (const path of disguised) expect([path, await raw(path)]).toEqual([path, 400])
  })

  it("refuses foreign hosts and pages: the page, its files and the streams alike", async () => {
    const { id } = await dev.json("api/workflows/wait/runs", {})
    for (const path of ["/", "/page.js", "/api/workflows", `/api/runs/${id}/trace`]) {
      const authorization = `Bearer ${dev.token}`
      for (const headers of [
        { host: "evil.example" },
        { host: `evil.example:${dev.port}` },
        { origin: "https://evil.example" },
        { origin: "null" },
        { "sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors" }
      ]) {
        expect([path, headers, await raw(path, { authorization, ...headers })]).toEqual([path, headers, 403])
      }
    }
  })

  it("reloads when a file is saved, and a run keeps the graph that it began with", async () => {
    expect(await greet()).toBe("Hello Ada")
    const { id } = await dev.json("api/workflows/wait/runs", {})
    // What it imports counts, too.
    await greeting("Goodbye ")
    await dev.says("Reloaded 3 workflows, 'greet', 'hang' and 'wait'.\n")
    expect(await greet()).toBe("Goodbye Ada")
    const changed = three.replace('"wait"', '"waits"').replace("inputs: [Go], steps: { wait }", "steps: { hang }")
    await flowFile("flow.ts", flowText(changed))
    await dev.says("'greet', 'hang' and 'waits'.\n")
    expect((await dev.json("api/workflows")).map(({ name }: any) => name)).toEqual(["greet", "hang", "waits"])
    expect((await dev.json(`api/runs/${id}`)).status).toBe("waiting")
    await dev.ask(`api/runs/${id}/trace`, { headers: { accept: "application/x-ndjson" } }).then(async (response) => {
      await dev.ask(`api/runs/${id}/inputs`, { json: { _tag: "Go" } })
      expect(await response.text()).toContain('"RunFinished"')
    })
    expect((await dev.json(`api/runs/${id}`)).stop).toEqual({ _tag: "Stop" })
    await flowFile("flow.ts", flowText(three))
    await vi.waitFor(async () => expect((await dev.json("api/status")).revision).toBe(3), { timeout: 50_000 })
  })

  it("keeps the workflows when a file no longer compiles, and says so in the terminal and to the page", async () => {
    await file("words.ts", "export const greeting: string = = 1\n")
    await dev.says(/words\.ts:1 has a syntax error: .*\nUntil this is fixed, the workflows stay as they were\.\n/)
    const { problems, revision } = await dev.json("api/status")
    expect(problems).toEqual([expect.stringMatching(/^words\.ts:1 has a syntax error: /)])
    expect(await greet()).toBe("Goodbye Ada")
    await rm(join(place.folder, "words.ts"))
    await dev.says("flow.ts imports something that does not exist")
    expect(await greet()).toBe("Goodbye Ada")
    await greeting("Welcome ")
    await vi.waitFor(async () => expect((await dev.json("api/status")).problems).toEqual([]), { timeout: 50_000 })
    expect((await dev.json("api/status")).revision).toBeGreaterThan(revision)
    expect(await greet()).toBe("Welcome Ada")
    // What only jiti reads is read again as well.
    await file("words.ts", 'enum Word { one = "Good day " }\nexport const greeting: string = Word.one\n')
    await vi.waitFor(async () => expect(await greet()).toBe("Good day Ada"), { timeout: 50_000 })
  })

  it("takes the next port if 4270 is taken, and says so", async () => {
    // It may be taken already: by this very command, or somebody else.
    const other = createServer()
    await new Promise<void>((resolve) => other.once("error", () => resolve()).listen(4270, "127.0.0.1", resolve))
    const second = await serving(place.folder, "dev", "flow.ts")
    expect(second.port).toBeGreaterThan(4270)
    expect(second.err()).toContain(`Port 4270 is taken: this is ${second.port}.\n`)
    await second.stop()
    other.close()
  })

  // Windows ends a process instead of telling it.
  it.skipIf(process.platform === "win32")(
    "interrupts the runs at Ctrl-C, which clean up, and leaves nothing",
    async () => {
      await dev.json("api/workflows/hang/runs", {})
      expect(await dev.stop()).toBe(130)
      expect(await readFile(join(place.folder, "notes.txt"), "utf8")).toBe("cleaned up\n")
      await expect(fetch(dev.url)).rejects.toThrow()
    }
  )

  const sentence = async (...args: ReadonlyArray<string>) => {
    const { code, out, err } = await stepgraph("dev", ...args)
    expect({ code, out }).toEqual({ code: 2, out: "" })
    return err
  }

  it("says in one sentence why it cannot begin", async () => {
    await flowFile("nothing.ts", "export const other = 1")
    await file("broken.ts", "export const flow = = 1\n")
    await flowFile("one.ts", short("one"))
    await flowFile("two.ts", short("two"))
    expect(await sentence("missing.ts")).toBe("The file missing.ts does not exist.\n")
    expect(await sentence("one.ts", "missing.ts")).toBe("The file missing.ts does not exist.\n")
    expect(await sentence("nothing.ts")).toBe(
      "nothing.ts exports no workflow (it exports 'other'): export the result of workflow().\n"
    )
    expect(await sentence("broken.ts")).toMatch(/^broken\.ts:1 has a syntax error: .*\n$/)
    expect(await sentence("one.ts", "two.ts")).toBe(
      "one.ts and two.ts each export a workflow named 'given': give each its own name, because its URL contains it.\n"
    )
    expect((await stepgraph("dev")).err).toContain("stepgraph dev --help")
    await copyInto(join(place.folder, "apart"))
    await flowFile("apart/flow.ts", short("flow"))
    expect(await sentence("apart/flow.ts")).toBe(
      "apart/flow.ts has workflows made with another copy of effect than the one of this command: install the command next to it with npm install --save-dev @stepgraph/cli, and effect only once.\n"
    )
  })

  it("lets others in only with a token that cannot be guessed", async () => {
    expect(await sentence("one.ts", "--host", "0.0.0.0")).toBe(
      "On 0.0.0.0, everybody on the network could reach your workflows: add --token with a secret of at least 16 characters, or leave out --host.\n"
    )
    expect(await sentence("one.ts", "--host", "0.0.0.0", "--token", "short")).toBe(
      "On 0.0.0.0, the token is all that keeps others out: --token needs at least 16 characters.\n"
    )
    expect(await sentence("one.ts", "--token", "")).toBe("--token takes characters other than spaces.\n")
  })

  it("does not take another port than the one it is told to", async () => {
    const taken: Server = createServer()
    await new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", resolve))
    const { port } = taken.address() as { readonly port: number }
    expect(await sentence("one.ts", "--port", String(port))).toBe(
      `Cannot listen on port ${port}: it is taken. Choose another, or leave out --port to take the next free one.\n`
    )
    taken.close()
    expect(await sentence("one.ts", "--port", "70000")).toBe("--port takes a number up to 65535, not 70000.\n")
  })

  it("listens where it is told to, with the token that it is given", async () => {
    const token = "a-secret-of-24-characters"
    const everywhere = await serving(
      place.folder,
      "dev",
      "one.ts",
      "--port",
      "0",
      "--host",
      "0.0.0.0",
      "--token",
      token
    )
    expect(everywhere.token).toBe(token)
    const there = `http://127.0.0.2:${everywhere.port}/`
    // An address that is not of this machine, as far as it knows.
    expect((await fetch(there)).status).toBe(403)
    expect((await fetch(everywhere.url)).status).toBe(200)
    expect((await fetch(`http://localhost:${everywhere.port}/api/workflows`)).status).toBe(401)
    expect((await everywhere.ask("api/workflows")).status).toBe(200)
    await everywhere.stop()
  })
})

describe("stepgraph dev --durable", () => {
  const ordersFile = (word: string) =>
    file(
      "orders.ts",
      `import { Schema } from "effect"
import { defineEvent, defineStep, join, workflow } from "stepgraph"
import { durable } from ${JSON.stringify(import.meta.resolve("@stepgraph/durable"))}
const Order = defineEvent("Order", { cents: Schema.Number })
const Approval = defineEvent("Approval", { by: Schema.String })
const Shipped = defineEvent("Shipped", { by: Schema.String })
const ship = defineStep({ accepts: join([Order, Approval]), emits: Shipped, run: ([, { by }]) => Shipped({ by: by + ${JSON.stringify(word)} }) })
export const flow = workflow({ name: "orders", start: Order, stop: Shipped, inputs: [Approval], steps: { ship } })
export const orders = durable(flow)
`
    )

  it("shows runs that survive a restart, and that go on with what is saved", async () => {
    await ordersFile("!")
    const args = ["dev", "orders.ts", "--durable", "runs.db", "--port", "0"]
    const first = await serving(place.folder, ...args)
    expect(first.err()).toContain(
      "Serving workflow 'orders', with the runs of runs.db. Reloads when a file is saved.\n"
    )
    const { id } = await first.json("api/workflows/orders/runs", { cents: 995 })
    await first.stop()

    const second = await serving(place.folder, ...args)
    expect((await second.json("api/runs")).runs).toEqual([expect.objectContaining({ id, workflow: "orders" })])
    await vi.waitFor(async () => expect((await second.json(`api/runs/${id}`)).status).toBe("waiting"), {
      timeout: 50_000
    })
    await ordersFile("?")
    await second.says("Reloaded workflow 'orders'.\n")
    await second.ask(`api/runs/${id}/inputs`, { json: { _tag: "Approval", by: "Ada" } })
    expect(await second.json(`api/runs/${id}?wait=20s`)).toMatchObject({ stop: { _tag: "Shipped", by: "Ada?" } })
    await second.stop()
  })

  it("says in one sentence why it cannot", async () => {
    await flowFile("plain.ts", short("flow"))
    expect(await stepgraph("dev", "plain.ts", "--durable", "other.db")).toMatchObject({
      code: 2,
      err: "plain.ts exports no durable workflow: export the result of durable(), or leave out --durable.\n"
    })
    await file("text.db", "This is not a database, though it is long enough to be one.".repeat(20))
    await ordersFile("!")
    expect(await stepgraph("dev", "orders.ts", "--durable", "text.db")).toMatchObject({
      code: 2,
      err: expect.stringMatching(/^Cannot open text\.db: .*not a database\.\n$/)
    })
  })
})

describe("stepgraph open", () => {
  const traced = async (name: string) => {
    await flowFile(
      "traced.ts",
      `const Number = defineEvent("Number", { n: Schema.Number })
export const flow = workflow({ name: "traced", start: Number, stop: Stop, steps: {
  a: defineStep({ accepts: Number, emits: Stop, run: () => Stop() }) } })`
    )
    await stepgraph("run", "traced.ts", "-i", '{ "n": 3 }', "--timeline", name)
    return JSON.parse(await readFile(join(place.folder, name), "utf8")) as Array<any>
  }

  it("shows a kept trace on the same page, which nothing can change", async () => {
    const entries = await traced("run.json")
    const open = await serving(place.folder, "open", "run.json", "--port", "0")
    expect(open.out()).toBe(`${open.url}#token=${open.token}&/runs/${entries[0].run}\n`)
    expect(open.err()).toBe("Serving the run of run.json.\nPress Ctrl-C to stop.\n")
    expect((await fetch(open.url)).headers.get("content-security-policy")).toContain("default-src 'none'")
    const { runs } = await open.json("api/runs")
    expect(runs).toEqual([
      expect.objectContaining({ id: entries[0].run, workflow: "traced", status: "stopped", rerunOf: null })
    ])
    const path = `api/runs/${runs[0].id}`
    const run = await open.json(path)
    expect(run).toMatchObject({
      input: { _tag: "Number", n: 3 },
      stop: { _tag: "Stop" },
      error: null,
      inputs: "closed"
    })
    const lines = (await (await open.ask(`${path}/trace`, { headers: { accept: "application/x-ndjson" } })).text())
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line))
    expect(lines.slice(0, -1).map(({ data }) => data)).toEqual(entries)
    expect(lines.at(-1)).toMatchObject({ kind: "end", data: { status: "stopped" } })
    expect((await open.ask(`${path}/trace?after=${lines.length}`)).status).toBe(204)
    expect((await open.json(`api/compare?left=${runs[0].id}&right=${runs[0].id}`)).same).toBe(true)
    expect((await open.json(`${path}/rerun`, {})).status).toBe(403)
    await open.stop()
  })

  const sentence = async (name: string, text: string) => {
    await file(name, text)
    const { code, out, err } = await stepgraph("open", name)
    expect({ code, out }).toEqual({ code: 2, out: "" })
    return err
  }

  it("says in one sentence why a file cannot be shown", async () => {
    const not = (name: string) => `${name} is not a trace: create one with stepgraph run FILE --timeline ${name}.\n`
    expect((await stepgraph("open", "missing.json")).err).toBe("Cannot read missing.json.\n")
    expect(await sentence("text.json", "hello")).toBe(not("text.json"))
    expect(await sentence("other.json", '[{ "name": "Ada" }, null]')).toBe(not("other.json"))
    expect(await sentence("empty.json", "[]")).toBe("empty.json contains no run.\n")
    const entries = await traced("kept.json")
    const { events: _, ...older } = entries.find(({ _tag }) => _tag === "InvocationStarted")
    expect(await sentence("older.json", JSON.stringify([entries[0], older]))).toBe(
      "older.json is from another version of stepgraph, or damaged: entry 2 of 2 (InvocationStarted) lacks what this version needs. Open it with the version that wrote it.\n"
    )
  })

  it("shows what it knows of a trace from a newer version, and says what it leaves out", async () => {
    const entries = await traced("newer.json")
    const { run, at } = entries[0]
    const newer = [...entries.slice(0, -1), { _tag: "StepPainted", run, seq: 90, at, colour: "red" }]
    await file("newer.json", JSON.stringify(newer))
    const open = await serving(place.folder, "open", "newer.json", "--port", "0")
    expect(open.err()).toContain(
      "newer.json is from another version of stepgraph: entries of the kind 'StepPainted' are left out. Update with: npm install stepgraph@latest\n"
    )
    // It also lacks the end of the run.
    expect((await open.json(`api/runs/${run}`)).error).toEqual({ message: "this trace ends before the run does" })
    await open.stop()
  })
})
