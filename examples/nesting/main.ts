// A workflow inside a workflow, and workflows made by a function.
//
// Outer: a list of texts, each checked, all reports in order. Inner: one text, several checks side by side.
//
//   Texts → each → Text → check → Report → all → Reports
//                           └ one run of: Document → fan → Check → rule → Finding → sum → Verdict
import { Effect, Schema } from "effect"
import { defineEvent, defineStep, gather, run, runPromise, type TraceEntry, workflow } from "stepgraph"

// ------------------------------------------------------------------------------------------- a sub-graph with parameters

const Document = defineEvent("Document", { text: Schema.String })
const Check = defineEvent("Check", { rule: Schema.String, text: Schema.String })
const Finding = defineEvent("Finding", { rule: Schema.String, ok: Schema.Boolean })
const Verdict = defineEvent("Verdict", { broken: Schema.Array(Schema.String) })

type Rules = Readonly<Record<string, (text: string) => boolean>>

/** Creates a workflow that checks a document against these rules, several at once. */
const checker = (rules: Rules, workers = 4) =>
  workflow({
    name: "checker",
    start: Document,
    stop: Verdict,
    steps: {
      fan: defineStep({
        accepts: Document,
        emits: Check,
        run: ({ text }) => Object.keys(rules).map((rule) => Check({ rule, text }))
      }),
      rule: defineStep({
        accepts: Check,
        emits: Finding,
        workers,
        run: ({ rule, text }) => Finding({ rule, ok: rules[rule]!(text) })
      }),
      sum: defineStep({
        accepts: gather(Finding),
        emits: Verdict,
        run: (findings) => Verdict({ broken: findings.filter(({ ok }) => !ok).map(({ rule }) => rule) })
      })
    }
  })

const prose = checker({
  "begins with a capital": (text) => /^[A-Z]/.test(text),
  "ends with a full stop": (text) => text.endsWith("."),
  "has at most 40 characters": (text) => text.length <= 40
})

// --------------------------------------------------------------------------------------------- a workflow inside a step

const Texts = defineEvent("Texts", { texts: Schema.Array(Schema.String) })
const Text = defineEvent("Text", { text: Schema.String })
const Report = defineEvent("Report", { line: Schema.String })
const Reports = defineEvent("Reports", { lines: Schema.Array(Schema.String) })

const report = (text: string, broken: ReadonlyArray<string>) =>
  Report({ line: `${broken.length === 0 ? "fine" : broken.join(", ")}: ${text}` })

export const review = workflow({
  name: "review",
  start: Texts,
  stop: Reports,
  steps: {
    each: defineStep({ accepts: Texts, emits: Text, run: ({ texts }) => texts.map((text) => Text({ text })) }),
    check: defineStep({
      accepts: Text,
      emits: Report,
      // A run is an Effect, and a step may return one. Its errors become the step's errors, and interrupting the outer
      // run interrupts it.
      run: ({ text }) => Effect.map(run(prose, { text }), ({ broken }) => report(text, broken))
    }),
    all: defineStep({
      accepts: gather(Report),
      emits: Reports,
      run: (reports) => Reports({ lines: reports.map(({ line }) => line) })
    })
  }
})

// -------------------------------------------------------------------------------------------------- one step overridden

/** The same workflow with other rules. `workflow` checks that the steps still fit together. */
export const lenient = workflow({
  ...review,
  name: "lenient-review",
  steps: {
    ...review.steps,
    check: defineStep({
      accepts: Text,
      emits: Report,
      run: ({ text }) =>
        Effect.map(run(checker({ "says something": (text) => text !== "" }), { text }), ({ broken }) =>
          report(text, broken)
        )
    })
  }
})

const texts = ["All is well.", "no capital.", "No end", ""]
const trace: Array<TraceEntry> = []
const { lines } = await runPromise(review, { texts }, { observe: (entry) => void trace.push(entry) })

console.log("review:")
for (const line of lines) console.log(`  ${line}`)
console.log("lenient-review:")
for (const line of (await runPromise(lenient, { texts })).lines) console.log(`  ${line}`)

// The trace of the outer run includes the inner runs, each with the invocation that started it.
const runs = trace.filter((entry) => entry._tag === "RunStarted")
const inside = runs.filter(({ parent }) => parent?.workflow === "review")
console.log(`${runs.length} runs, ${inside.length} of them in step '${inside[0]?.parent?.invocation.split("#")[0]}'`)
