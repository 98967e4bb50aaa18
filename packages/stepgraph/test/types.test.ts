import { readFileSync } from "node:fs"
import { join } from "node:path"
import { compile, type Problem, workspace } from "@stepgraph/conformance/support/compile"
import { hovers } from "@stepgraph/conformance/support/hovers"
import { fileOf, snippetsOf } from "@stepgraph/conformance/support/snippets"
import { beforeAll, describe, expect, it, vi } from "vitest"

// A compiler needs a while if other programs keep the machine busy, and cannot hang.
vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 })

const good = "packages/stepgraph/types/must-compile.ts"
const bad = "packages/stepgraph/types/must-not-compile.ts"
const textOf = (file: string) => readFileSync(join(workspace, file), "utf8")

describe("the compiler", () => {
  const marks = textOf(bad)
    .split("\n")
    .flatMap((text, index) => {
      const words = /\/\/ «error» (.+)$/.exec(text)?.[1]
      return words === undefined ? [] : [{ line: index + 1, words }]
    })
  let problems: ReadonlyArray<Problem> = []

  beforeAll(() => {
    problems = compile({ [good]: textOf(good), [bad]: textOf(bad) }).problems
  })

  it("accepts everything that must compile", () => {
    expect(problems.filter((problem) => problem.file === good)).toEqual([])
  })

  it.each(marks)("line $line: $words", ({ line, words }) => {
    const said = problems.filter((problem) => problem.file === bad && problem.line === line)
    expect(said.map((problem) => problem.message).join("\n")).toContain(words)
  })

  it("nothing about unmarked lines", () => {
    const marked = new Set(marks.map((mark) => mark.line))
    expect(problems.filter((problem) => problem.file === bad && !marked.has(problem.line))).toEqual([])
  })
})

describe("under flags that a program may have", () => {
  it("exactOptionalPropertyTypes: every option may be undefined", () => {
    const file = "packages/stepgraph/types/exact-optional.ts"
    expect(compile({ [file]: textOf(file) }, { exactOptionalPropertyTypes: true }).problems).toEqual([])
  })

  it("isolatedDeclarations: what the documentation says to write is enough", () => {
    const page = "docs/composing.md"
    const snippet = snippetsOf(page, textOf(page)).find(({ code }) => code.includes("export const flow: Workflow<"))!
    const flags = { isolatedDeclarations: true, declaration: true }
    const said = (code: string) => compile({ [fileOf(snippet)]: code }, flags).problems.map(({ message }) => message)
    expect(said(snippet.code)).toEqual([])
    expect(said(snippet.code.replace(/flow: Workflow<.*> =/, "flow ="))).toEqual([
      expect.stringContaining("with --isolatedDeclarations")
    ])
  })
})

describe("an editor's hover text", () => {
  const steps = [5, 6, 7, 8].map(
    (n) => `s${n}: defineStep({ accepts: E${n}, emits: E${n + 1}, run: ({ n }) => E${n + 1}({ n }) }),`
  )
  const text = `
    import { Context, Effect, Schema } from "effect"
    import { defineEvent, defineStep, launch, launchPromise, run, workflow } from "stepgraph"
    class DbErr extends Schema.TaggedError<DbErr>()("DbErr", {}) {}
    class MailErr extends Schema.TaggedError<MailErr>()("MailErr", {}) {}
    class Db extends Context.Service<Db, { readonly get: Effect.Effect<string, DbErr> }>()("Db") {}
    class Mail extends Context.Service<Mail, { readonly send: Effect.Effect<string, MailErr> }>()("Mail") {}
    const Start = defineEvent("Start", { n: Schema.Number })
    const Ok = defineEvent("Ok", { yes: Schema.Boolean })
    const Note = defineEvent("Note", { text: Schema.String })
    ${[1, 2, 3, 4, 5, 6, 7, 8, 9].map((n) => `const E${n} = defineEvent("E${n}", { n: Schema.Number })`).join("\n")}
    const Stop = defineEvent("Stop", { result: Schema.String })
    const flow = workflow({
      name: "ten", start: Start, stop: Stop, inputs: [Ok], outputs: [Note],
      steps: {
        s0: defineStep({ accepts: Start, emits: [E1, Note], run: ({ n }) => E1({ n }) }),
        s1: defineStep({ accepts: E1, emits: E2, run: ({ n }) => Effect.as(Effect.flatMap(Db, (db) => db.get), E2({ n })) }),
        s2: defineStep({ accepts: E2, emits: E3, run: ({ n }) => Effect.as(Effect.flatMap(Mail, (mail) => mail.send), E3({ n })) }),
        s3: defineStep({ accepts: E3, emits: E4, run: async ({ n }) => E4({ n }) }),
        s4: defineStep({ accepts: [E4, Ok], emits: E5, run: () => E5({ n: 1 }) }),
        ${steps.join("\n")}
        s9: defineStep({ accepts: E9, emits: Stop, run: ({ n }) => Stop({ result: String(n) }) })
      }
    })
    const plain = workflow({
      name: "plain", start: Start, stop: Stop, inputs: [Ok], outputs: [Note],
      steps: { only: defineStep({ accepts: [Start, Ok], emits: [Note, Stop], run: () => Stop({ result: "" }) }) }
    })
    const running = run(flow, { n: 0 })
    const live = launch(flow, Start({ n: 0 }))
    const handle = launchPromise(plain, { n: 0 })
    Effect.runPromise(running)`
  const file = "packages/stepgraph/types/hovers.ts"

  let shown: Readonly<Record<string, string>> = {}
  beforeAll(() => {
    shown = hovers(file, text, ["running", "live", "handle"])
  })

  /** The order of a union's members is not defined. */
  const sorted = (hover = "") => hover.replace(/\w+( \| \w+)+/g, (union) => union.split(" | ").sort().join(" | "))

  it("of a run of ten steps: its result, its errors, its services", () => {
    expect(sorted(shown.running)).toBe(
      'const running: Effect.Effect<Event<"Stop", { readonly result: string; }>, DbErr | InvalidEvent | MailErr | StepRejected | WorkflowStalled, Db | Mail>'
    )
  })

  it("of a handle: its inputs, outputs, result, errors and services", () => {
    const events =
      'Event<"Ok", { readonly yes: boolean; }>, Event<"Note", { readonly text: string; }>, Event<"Stop", { readonly result: string; }>'
    expect(sorted(shown.live)).toBe(
      `const live: Effect.Effect<Run<${events}, DbErr | MailErr | StepRejected | WorkflowStalled>, never, Db | Mail | Scope>`
    )
    expect(shown.handle).toBe(`const handle: Promise<RunHandle<${events}>>`)
  })

  it("of services that are missing: their names", () => {
    const { problems } = compile({ [file]: text })
    expect(problems).toHaveLength(1)
    expect(problems[0]!.message).toContain("Type 'Db | Mail' is not assignable to type 'never'")
    expect(problems[0]!.message).not.toContain("...")
  })
})

describe("the cost of checking a workflow", () => {
  const budget = 430

  const instantiations = (steps: number) => {
    const each = (line: (n: number) => string) => Array.from({ length: steps }, (_, n) => line(n)).join("\n")
    const chain = `
      import { Schema } from "effect"
      import { defineEvent, defineStep, run, workflow } from "stepgraph"
      const E0 = defineEvent("E0", { n: Schema.Number })
      ${each((n) => `const E${n + 1} = defineEvent("E${n + 1}", { n: Schema.Number })`)}
      ${each((n) => `const s${n} = defineStep({ accepts: E${n}, emits: E${n + 1}, run: (e) => E${n + 1}({ n: e.n + 1 }) })`)}
      const flow = workflow({ name: "chain", start: E0, stop: E${steps}, steps: { ${each((n) => `s${n},`)} } })
      export const program = run(flow, { n: 0 })`
    const result = compile({ "packages/stepgraph/types/chain.ts": chain })
    expect(result.problems).toEqual([])
    return result.instantiations
  }

  it(`at most ${budget} type instantiations a step, however many there are`, () => {
    const at100 = instantiations(100)
    const early = (at100 - instantiations(50)) / 50
    const late = (instantiations(200) - at100) / 100
    expect(early).toBeLessThanOrEqual(budget)
    expect(late).toBeLessThanOrEqual(budget)
    // Linear: a step costs no more in a long chain than in a short one.
    expect(late).toBeLessThanOrEqual(early * 1.05)
  })
})
