// Explores every workflow in the documentation, completely if it is small: nothing is left running, no step exceeds its
// workers, and the number of orders is printed.
import { globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { snippetsOf } from "@stepgraph/conformance/support/snippets"
import { explore } from "@stepgraph/testing"
import { Context, Effect } from "effect"
import type * as stepgraph from "stepgraph"
import { beforeAll, expect, it, vi } from "vitest"

interface Ran {
  readonly flow: any
  readonly input: any
  readonly services: Context.Context<never>
}

/** The runs of the current snippet. */
let ran: Array<Ran> = []

const { run: realRun } = await vi.importActual<typeof stepgraph>("stepgraph")

vi.mock("stepgraph", async (original) => {
  const real = await original<typeof stepgraph>()
  const record = (flow: any, input: any, services = Context.empty()) => void ran.push({ flow, input, services })
  return {
    ...real,
    run: (flow: any, ...given: any) =>
      Effect.flatMap(Effect.context<never>(), (services) => {
        record(flow, given[0], services)
        return real.run(flow, ...given)
      }),
    runPromise: (flow: any, ...given: any) => {
      record(flow, given[0])
      return real.runPromise(flow, ...given)
    }
  }
})

const workspace = join(import.meta.dirname, "../../..")
const folder = join(import.meta.dirname, "../.snippets")
const snippets = globSync(["README.md", "docs/**/*.md", "packages/*/README.md"], { cwd: workspace })
  .sort()
  .flatMap((source) => snippetsOf(source, readFileSync(join(workspace, source), "utf8")))
  .filter(({ runs, original, code }) => runs && !original && !code.includes("@stepgraph/testing"))
  // The AI SDK's streams take turns of the event loop, which nothing controls.
  .filter(({ code }) => !/from "ai"/.test(code))

const schedules = 1_000
/** The output of the last test: each workflow with its number of orders. */
const told: Array<string> = []
let complete = 0

beforeAll(() => {
  rmSync(folder, { recursive: true, force: true })
  for (const method of ["log", "info", "error", "warn"] as const) vi.spyOn(console, method).mockImplementation(() => {})
  return () => {
    vi.restoreAllMocks()
    rmSync(folder, { recursive: true, force: true })
  }
})

/** The exploration's own clock and scheduler, plus the snippet's services. */
const inContext = ({ services }: Ran, running: Effect.Effect<any, any, any>) =>
  Effect.flatMap(Effect.context<never>(), (own) => Effect.provideContext(running, Context.merge(services, own)))

it.for(snippets)("$source:$line", { timeout: 30_000 }, async ({ source, line, code }) => {
  const file = join(folder, `${source}.${line}.ts`)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, code)
  ran = []
  await import(file)
  const flows = new Map(ran.map((one) => [one.flow, one]))
  for (const [flow, one] of flows) {
    const seen = await Effect.runPromise(
      explore(flow, {
        program: (flow, input) => inContext(one, realRun(flow, input)),
        input: one.input,
        schedules,
        random: 0,
        timers: "virtual",
        invariants: {
          sameResult: false,
          neverFails: false,
          neverStalls: false,
          // Where a finalizer fails on purpose.
          finalizersRun: !code.includes("SuppressedErrors")
        }
      }) as Effect.Effect<any>
    )
    if (seen.complete) complete++
    expect(seen.uncontrolled).toEqual([])
    told.push(`${source}:${line} '${flow.name}' ${seen.schedules}${seen.complete ? "" : " and more"}`)
  }
})

it("has been explored", () => {
  expect(complete, told.join("\n")).toBeGreaterThan(30)
  process.stdout.write(`${complete} of ${told.length} workflows in the documentation explored completely\n`)
})
