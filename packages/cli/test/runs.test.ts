// `stepgraph runs` beside a process that performs the runs: it looks, talks, and performs nothing.
import { type ChildProcess, execFile, spawn } from "node:child_process"
import { cp, mkdir, readdir, symlink } from "node:fs/promises"
import { createRequire } from "node:module"
import { dirname, join } from "node:path"
import { pathToFileURL } from "node:url"
import { promisify } from "node:util"
import { afterAll, beforeAll, describe, expect, it, vi } from "@effect/vitest"
import { hasPostgres, type Postgres, startPostgres } from "@stepgraph/conformance/support/postgres"
import { bin, inFolder, inSession, type Told } from "./support/command-line.ts"

// These tests start processes while other tests run.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

const { place, file, contents } = inFolder()
const { stepgraph } = inSession(place)
const runs = (...args: ReadonlyArray<string>) => stepgraph("runs", ...args)

const url = (name: string) => JSON.stringify(import.meta.resolve(name))
const imports = `import { Effect, Schema } from ${url("effect")}
import { defineEvent, defineStep, join, workflow } from ${url("stepgraph")}
import { durable, openDurable } from ${url("@stepgraph/durable")}
import { layerPostgres } from ${url("@stepgraph/durable/postgres")}
`

const flowText = (pay: string, name = "orders") => `${imports}
const Order = defineEvent("Order", { cents: Schema.Number })
const Paid = defineEvent("Paid", { cents: Schema.Number })
const Approval = defineEvent("Approval", { by: Schema.String, at: Schema.optional(Schema.Date) })
const Shipped = defineEvent("Shipped", { by: Schema.String })
const pay = defineStep({ accepts: Order, emits: Paid, run: ${pay} })
const ship = defineStep({ accepts: join([Paid, Approval]), emits: Shipped, run: ([, { by }]) => Shipped({ by }) })
export const flow = workflow({ name: "${name}", start: Order, stop: Shipped, inputs: [Approval], steps: { pay, ship } })
`
const paying = `async ({ cents }) => {
  if (cents === 0) throw new Error("nothing to pay")
  if (cents === 1) await new Promise(() => {})
  return Paid({ cents })
}`

/** A process that performs runs and starts some, until it is killed. */
const performer = async (where: string): Promise<ChildProcess> => {
  const main = await file(
    "main.ts",
    `${imports}import { orders } from "./orders.ts"
const where = process.argv[2]
const runs = await openDurable(/^postgres/.test(where) ? { layer: layerPostgres({ url: where }) } : { sqlite: where }, [orders])
const start = (id, cents) => runs.start(orders, id, { cents })
const first = await start("order-17", 995)
await start("order-18", 1)
await start("order-19", 0)
while ((await first.status()).waiting.length === 0 && !(await first.poll())) await new Promise((resolve) => setTimeout(resolve, 5))
while ((await runs.list({ state: "failed" })).length === 0) await new Promise((resolve) => setTimeout(resolve, 5))
console.log("ready")
setInterval(() => {}, 1000)
`
  )
  const process_ = spawn(process.execPath, ["--no-warnings", main, where], {
    cwd: place.folder,
    stdio: ["ignore", "pipe", "inherit"]
  })
  await new Promise<void>((resolve, reject) => {
    process_.stdout!.once("data", () => resolve())
    process_.once("exit", (code) => reject(new Error(`the performer has ended with ${code}`)))
  })
  return process_
}

const ended = (child: ChildProcess) => new Promise((resolve) => child.once("exit", resolve))

let live: ChildProcess
const restarted = async (where: string) => {
  live.kill("SIGKILL")
  live = await performer(where)
}
beforeAll(async () => {
  await file("flow.ts", flowText(paying))
  await file("orders.ts", `${imports}import { flow } from "./flow.ts"\nexport const orders = durable(flow)\n`)
  await file("other.ts", flowText("() => Paid({ cents: 1 })", "others"))
  await file("changed.ts", flowText("() => Paid({ cents: 1 })").replace("pay, ship }", "pay, send: ship }"))
  live = await performer("runs.db")
})
afterAll(() => void live.kill("SIGKILL"))

const time = /\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/g
const timeless = (text: string) => text.replace(time, "TIME").replace(/process \d+ on .+/g, "process N on HOST")

describe("stepgraph runs", () => {
  it("lists the newest first, as a table or as JSON, by state, workflow and number", async () => {
    const { code, err, out } = await runs("runs.db")
    expect({ code, err }).toEqual({ code: 0, err: "" })
    expect(timeless(out)).toBe(`RUN       WORKFLOW  VERSION  STATE   STARTED              ENDED
order-19  orders    1        failed  TIME  TIME
order-18  orders    1        active  TIME
order-17  orders    1        active  TIME
`)
    const ids = async (...args: ReadonlyArray<string>) =>
      JSON.parse((await runs("runs.db", "--json", ...args)).out).map(({ id }: { readonly id: string }) => id)
    expect(await ids("--state", "active")).toEqual(["order-18", "order-17"])
    expect(await ids("--workflow", "others")).toEqual([])
    expect(await ids("--limit", "1")).toEqual(["order-19"])
    expect((await runs("runs.db", "-n", "2")).err).toBe(
      "There are more: list them with --limit, or choose with --state and --workflow.\n"
    )
    expect((await runs("runs.db", "-w", "others")).out).toBe("No runs.\n")
  })

  it("shows a run: with its workflow, which step is running and what the others wait for", async () => {
    const { out, err } = await runs("runs.db", "show", "order-17")
    expect(timeless(out)).toBe(`order-17 · orders, version 1 · active

started  TIME with Order {"cents":995}
now      performed by process N on HOST
calls    1
`)
    expect(err).toBe("\nWith --flow FILE, this says which steps are running, and what the others wait for.\n")
    const waits = "step 'ship' waits for join([Paid, Approval]): has 1 Paid, needs 1 Approval"
    for (const flow of ["orders.ts", "flow.ts"]) {
      const { out, err } = await runs("runs.db", "show", "order-17", "--flow", flow)
      expect({ err, now: timeless(out).split("\n").slice(3, 5) }).toEqual({
        err: "",
        now: ["now      performed by process N on HOST", `         ${waits}`]
      })
    }
    expect((await runs("runs.db", "show", "order-18", "-f", "other.ts", "-f", "orders.ts")).out).toContain(
      "step 'pay' is running 1 call\n"
    )
    expect((await runs("runs.db", "show", "order-19")).out).toMatch(
      /\nerror +StepRejected: step 'pay' .+: nothing to pay /
    )
    expect(JSON.parse((await runs("runs.db", "show", "order-17", "-f", "flow.ts", "--json")).out)).toMatchObject({
      id: "order-17",
      state: "active",
      start: { _tag: "Order", cents: 995 },
      calls: 1,
      waits: [expect.stringMatching(/^performed by/), waits],
      status: { waiting: [{ step: "ship", needs: { Approval: 1 } }] }
    })
  })

  it("draws a run, from its journal alone or as a timeline", async () => {
    const { out, err } = await runs("runs.db", "draw", "order-17")
    expect(out.replace(/ *[\d.]+ m?s {2}/g, "AT ")).toBe(`order-17 · orders, version 1 · active

AT started with Order {"cents":995}
AT pay ended: Paid {"cents":995}
`)
    expect(err).toBe("\nWith --flow FILE, this is a timeline: when each step began, worked and waited.\n")
    expect((await runs("runs.db", "draw", "order-17", "-f", "orders.ts")).out).toMatch(
      /^orders · not ended · .+ · 1 invocation\n/
    )
    for (const [end, begin] of Object.entries({
      svg: "<svg ",
      html: "<!doctype html>",
      txt: "orders · ",
      json: "[\n{"
    })) {
      const drawn = await runs("runs.db", "draw", "order-17", "-f", "orders.ts", "-o", `run.${end}`)
      expect(drawn).toEqual({ code: 0, out: "", err: `Drew run 'order-17' in run.${end}\n` })
      expect((await contents(`run.${end}`)).slice(0, begin.length)).toBe(begin)
    }
    expect((await stepgraph("compare", "run.json", "run.json")).out).toContain("Both had the same events")
  })

  it("refuses an event that its workflow does not take", async () => {
    const sends = async (...event: ReadonlyArray<string>) => (await runs("runs.db", "send", "order-17", ...event)).err
    expect(await sends("Aproval", "{}", "-f", "orders.ts")).toBe(
      "Workflow 'orders' has no input 'Aproval': its inputs are 'Approval'. Did you mean 'Approval'?\n"
    )
    expect(await sends("Approval", '{"by":7}', "-f", "orders.ts")).toBe(
      "The event does not fit 'Approval': Expected string at [\"by\"].\n"
    )
    expect(await sends("Approval", "{by}")).toMatch(/^The event is not JSON: .+\.\n$/)
    expect(await sends("Approval", "[]")).toBe(
      "The event must be an object with the fields of 'Approval': write '{ … }'.\n"
    )
    expect((await runs("runs.db", "show", "order-17")).out).not.toContain("messages")
  })

  it("sends an event once for each key, and shows what came of it", async () => {
    const event = [
      "runs.db",
      "send",
      "order-17",
      "Approval",
      '{ "by": "Ada", "at": "2026-01-01T00:00:00Z" }',
      "--key",
      "click-3"
    ]
    expect(await runs(...event, "--flow", "orders.ts")).toEqual({
      code: 0,
      out: "Sent Approval to run 'order-17'.\n",
      err: ""
    })
    await expect
      .poll(async () => (await runs("runs.db", "show", "order-17")).out)
      .toContain('result    Shipped {"by":"Ada"}\n')
    const again = "Run 'order-17' had been sent an event with the key 'click-3' before: it counts once.\n"
    expect(await runs(...event)).toEqual({ code: 0, out: again, err: "" })
    const { out } = await runs("runs.db", "show", "order-17")
    expect(out).toContain('messages  Approval {"by":"Ada","at":"2026-01-01T00:00:00.000Z"} · key click-3\n')
    expect((await runs("runs.db", "draw", "order-17")).out.replace(/ *[\d.]+ m?s {2}/g, "AT ")).toContain(`
AT received Approval {"by":"Ada","at":"2026-01-01T00:00:00.000Z"}
AT ship ended: Shipped {"by":"Ada"}
AT succeeded: Shipped {"by":"Ada"}
`)
    expect(await runs("runs.db", "send", "order-17", "Approval", '{"by":"Eve"}')).toEqual({
      code: 2,
      out: "",
      err: "Run 'order-17' has ended (succeeded): it takes nothing more.\n"
    })
  })

  it("closes, interrupts and forgets a run that another process performs", async () => {
    expect((await runs("runs.db", "forget", "order-18")).err).toBe(
      "Run 'order-18' has not ended (active): interrupt it first.\n"
    )
    expect((await runs("runs.db", "close", "order-18")).out).toBe("Closed the inputs of run 'order-18'.\n")
    for (const flow of [[], ["-f", "orders.ts"]]) {
      expect((await runs("runs.db", "send", "order-18", "Approval", '{"by":"Ada"}', ...flow)).err).toBe(
        "Run 'order-18' has its inputs closed: it takes nothing more.\n"
      )
    }
    expect((await runs("runs.db", "interrupt", "order-18")).out).toBe("Run 'order-18' has ended: interrupted.\n")
    expect(JSON.parse((await runs("runs.db", "forget", "order-18", "--json")).out)).toEqual({
      run: "order-18",
      forgotten: true
    })
    expect((await runs("runs.db", "resume", "order-19")).err).toBe(
      "Run 'order-19' is not stuck (failed): there is nothing to resume.\n"
    )
  })

  describe("explains in one sentence, with exit code 2,", () => {
    const refuses = (what: string, args: ReadonlyArray<string>, err: RegExp) =>
      it(what, async () => {
        const before = await readdir(place.folder)
        expect(await runs(...args)).toEqual({ code: 2, out: "", err: expect.stringMatching(err) })
        expect(await readdir(place.folder)).toEqual(before)
      })
    refuses("a missing file", ["none.db"], /^none\.db does not exist\. Name the file or database .+\.\n$/)
    refuses("a folder", ["."], /^\. is not a SQLite database\. .+\.\n$/)
    refuses("a file that is no database", ["orders.ts", "show", "a"], /^orders\.ts is not a SQLite database\. .+\.\n$/)
    refuses(
      "an unknown run",
      ["runs.db", "show", "order-71"],
      /^There is no run 'order-71' in runs\.db: did you mean 'order-1\d'\?\n$/
    )
    refuses("another unknown run", ["runs.db", "draw", "xyz"], /^There is no run 'xyz' in runs\.db\.\n$/)
    refuses(
      "an unknown event",
      ["runs.db", "send", "order-19", "Aproval", "{}", "-f", "orders.ts", "-k", "a"],
      /^Run 'order-19' has ended \(failed\): it takes nothing more\.\n$/
    )
    refuses(
      "a file without the workflow",
      ["runs.db", "draw", "order-19", "-f", "other.ts"],
      /^other\.ts exports no workflow 'orders', the workflow of run 'order-19': it exports 'others'\.\n$/
    )
    refuses(
      "a workflow that was changed",
      ["runs.db", "draw", "order-19", "-f", "changed.ts"],
      /^run 'order-19' was started with another graph of workflow 'orders', version '1'.+\.\n$/
    )
    refuses(
      "a picture without a workflow",
      ["runs.db", "draw", "order-19", "-o", "run2.svg"],
      /^A picture needs the workflow of the run: add --flow FILE\.\n$/
    )
    refuses(
      "an unknown action",
      ["runs.db", "shwo", "order-17"],
      /^Unknown subcommand "shwo" for "stepgraph runs"\. Did you mean this\? show\.\n/
    )
    refuses(
      "a database that is away",
      ["postgres://me:secret@127.0.0.1:1/shop"],
      /^Cannot open Postgres database 127\.0\.0\.1:1\/shop: connect ECONNREFUSED 127\.0\.0\.1:1\.\n$/
    )
    refuses("no runs at all", ["runs.db", "--limit", "0"], /^--limit takes a number of at least 1, not 0\.\n$/)
  })

  it("shows no secret where it knows the workflow", async () => {
    await file(
      "secret.ts",
      `${imports}
const Login = defineEvent("Login", { token: Schema.Redacted(Schema.String), name: Schema.String })
const Again = defineEvent("Again", { token: Schema.Redacted(Schema.String) })
const Done = defineEvent("Done")
const first = defineStep({ accepts: Login, emits: Again, run: ({ token }) => Again({ token }) })
const last = defineStep({ accepts: Again, emits: Done, run: () => Done() })
export const logins = durable(workflow({ name: "logins", start: Login, stop: Done, steps: { first, last } }))
`
    )
    await file(
      "login.ts",
      `${imports}import { Redacted } from ${url("effect")}
import { logins } from "./secret.ts"
await using runs = await openDurable({ sqlite: "logins.db" }, [logins])
await (await runs.start(logins, "login-1", { token: Redacted.make("hunter2"), name: "Ada" })).result
`
    )
    await promisify(execFile)(process.execPath, ["--no-warnings", "login.ts"], { cwd: place.folder })
    const shown = (action: string, ...flags: ReadonlyArray<string>) =>
      runs("logins.db", action, "login-1", "-f", "secret.ts", ...flags).then(({ out }) => out)
    for (const out of [await shown("show"), await shown("show", "--json"), await shown("draw")]) {
      expect(out).not.toContain("hunter2")
    }
    expect(await shown("show")).toMatch(/started .+ with Login \{"token":"<redacted>","name":"Ada"\}\n/)
  })

  it("performs nothing: without another process, an event and an interruption wait for one", async () => {
    await restarted("gone.db")
    live.kill("SIGKILL")
    await ended(live)
    expect((await runs("gone.db", "interrupt", "order-18")).out).toBe(
      "Asked run 'order-18' to end. It ends once a process with workflow 'orders', version 1, is running.\n"
    )
    expect((await runs("gone.db", "show", "order-18")).out).toContain(" · active\n")
    const sent = await runs("gone.db", "send", "order-17", "Approval", '{"by":"Ada"}')
    expect(sent.err).toMatch(/^It was sent unchecked, .+\. With --flow FILE, it is checked first\.\n$/)
    expect((await runs("gone.db", "show", "order-17", "-f", "flow.ts")).out).toContain(" · active\n")
    await restarted("gone.db")
    const of = async (id: string) => JSON.parse((await runs("gone.db", "show", id, "--json")).out)
    await expect.poll(async () => (await of("order-18")).state).toBe("interrupted")
    await expect.poll(async () => (await of("order-17")).stop).toEqual({ _tag: "Shipped", by: "Ada" })
  })

  it("is the same as the command itself, and asks for the package that it needs", async () => {
    const command = (path: string, ...args: ReadonlyArray<string>) =>
      new Promise<Told>((resolve) => {
        execFile(process.execPath, [path, "runs", ...args], { cwd: place.folder }, (error, out, err) =>
          resolve({ code: error === null ? 0 : (error.code as number), out, err })
        )
      })
    expect(await command(bin, "runs.db", "--state", "failed", "--json")).toMatchObject({ code: 0, err: "" })

    // A copy of the command, with everything that it depends on but the optional package.
    const home = dirname(bin)
    const copy = join(place.folder, "cli")
    await mkdir(join(copy, "node_modules/@stepgraph"), { recursive: true })
    for (const name of ["bin.js", "package.json", "src"])
      await cp(join(home, name), join(copy, name), { recursive: true })
    for (const name of ["@effect", "effect", "jiti", "stepgraph", "@stepgraph/viz"]) {
      await symlink(join(home, "node_modules", name), join(copy, "node_modules", name))
    }
    const lacks = "Durable runs need a package that is not installed: npm install @stepgraph/durable\n"
    expect(await command(join(copy, "bin.js"), "runs.db")).toEqual({ code: 2, out: "", err: lacks })
    expect(createRequire(pathToFileURL(join(copy, "bin.js"))).resolve("effect")).toContain("node_modules")
  })

  describe.runIf(hasPostgres)("in Postgres", () => {
    let postgres: Postgres
    beforeAll(async () => {
      postgres = await startPostgres()
    })
    afterAll(() => postgres.stop())

    it("does the same, and says where there are no runs", async () => {
      expect((await runs(postgres.url)).err).toMatch(
        /^Postgres database 127\.0\.0\.1:\d+\/postgres has no durable runs: it is empty, or belongs to another program\. .+\.\n$/
      )
      const performs = await performer(postgres.url)
      expect((await runs(postgres.url, "--state", "active")).out).toMatch(/^RUN .+\norder-18 .+\norder-17 .+\n$/)
      const { code } = await runs(postgres.url, "send", "order-17", "Approval", '{"by":"Ada"}', "-f", "orders.ts")
      expect(code).toBe(0)
      await expect
        .poll(async () => (await runs(postgres.url, "show", "order-17")).out)
        .toContain('Shipped {"by":"Ada"}')
      performs.kill("SIGKILL")
    })
  })
})
