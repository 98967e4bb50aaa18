/** Workflows to draw, some with names that try to break the drawing. */
import * as Arbitrary from "effect/Arbitrary"
import * as Schema from "effect/Schema"
import { collect, defineEvent, defineStep, gather, join, race, type Workflow, workflow } from "stepgraph"

export type AnyFlow = Workflow<any, any, any, any, any, any>

/** Everything that a picture can contain: each intake, nested scopes, a loop, inputs and outputs. */
export const makeEverything = () => {
  const Start = defineEvent("Start")
  const Doc = defineEvent("Doc")
  const Page = defineEvent("Page")
  const Word = defineEvent("Word")
  const Words = defineEvent("Words")
  const Draft = defineEvent("Draft")
  const Again = defineEvent("Again")
  const Approval = defineEvent("Approval")
  const Vote = defineEvent("Vote")
  const Votes = defineEvent("Votes")
  const Hit = defineEvent("Hit")
  const Stop = defineEvent("Stop")
  const Progress = defineEvent("Progress")
  return workflow({
    name: "everything",
    start: Start,
    stop: Stop,
    inputs: [Approval],
    outputs: [Progress],
    steps: {
      list: defineStep({ accepts: Start, emits: [Doc, Vote, Hit], run: () => [] }),
      open: defineStep({ accepts: Doc, emits: [Page, Progress], workers: 1, run: () => [] }),
      read: defineStep({ accepts: Page, emits: Word, workers: "unbounded", timeout: "2 seconds", run: () => [] }),
      words: defineStep({ accepts: gather(Word, { per: Page }), emits: Words, run: () => [] }),
      write: defineStep({ accepts: gather(Words, { per: Doc }), emits: Draft, retry: { times: 2 }, run: () => [] }),
      revise: defineStep({ accepts: Again, emits: Draft, run: () => [] }),
      check: defineStep({ accepts: Draft, emits: Again, recover: () => undefined, run: () => [] }),
      count: defineStep({ accepts: collect(Vote, 3, { within: "1 second" }), emits: Votes, run: () => [] }),
      first: defineStep({ accepts: race(Hit, { take: 2 }), emits: Stop, run: () => [] }),
      publish: defineStep({
        accepts: join([Draft, Approval, Votes], { by: () => 1 }),
        emits: Stop,
        run: () => []
      })
    }
  })
}
export const everything = makeEverything()

/** Names with a meaning in Mermaid, DOT, XML, HTML, JavaScript or a terminal. */
export const hostile = [
  "<script>alert(1)</script>",
  "</script><img src=x onerror=alert(1)>",
  "]]>",
  "<!--",
  '"',
  "'",
  '" onload="alert(1)',
  "\\",
  '\\"',
  "`",
  "a\nb",
  "\r\n",
  "end",
  "subgraph",
  "graph",
  "click n0 href",
  "%%{init: {}}%%",
  "%% comment",
  "---",
  "- list",
  "1. list",
  "# heading",
  "*bold*",
  "_under_",
  "#quot;",
  "#35;",
  "&amp;",
  "&nope;",
  "|",
  "-->",
  "]]",
  "}}",
  "))",
  "{",
  "[",
  "(",
  ";",
  "style n0 fill:red",
  "$$x^2$$",
  "{{a}}",
  "$" + "{alert(1)}",
  "\u0000",
  "\u001b[31mred",
  "\u2028",
  "\u202eright to left",
  "\ud800",
  "名前",
  "🙂",
  "__proto__",
  "constructor",
  "toString",
  "x".repeat(300),
  " "
]

/** A workflow of one step with this name and event. */
export const named = (step: string, event: string): AnyFlow => {
  const Start = defineEvent(event)
  const Stop = defineEvent("Stop")
  const only = defineStep({ accepts: Start, emits: Stop, run: () => [] })
  return workflow({ name: "named", start: Start, stop: Stop, steps: { [step]: only } })
}

const name = Arbitrary.all([
  Arbitrary.schema(Schema.Literals(hostile as [string, ...Array<string>])),
  Arbitrary.schema(Schema.String)
]).pipe(Arbitrary.map(([hostile, any]) => hostile + any))

/** A workflow in which every name is hostile: two branches, a join, a loop, scopes. */
export const hostileFlow = Arbitrary.all([name, name, name, name, name, name]).pipe(
  Arbitrary.map(([flow, one, two, three, four, five]): AnyFlow => {
    const Start = defineEvent(`S${one}`)
    const A = defineEvent(`A${two}`)
    const B = defineEvent(`B${three}`)
    const C = defineEvent(`C${four}`)
    const Stop = defineEvent(`E${five}`)
    return workflow({
      name: flow,
      start: Start,
      stop: Stop,
      steps: {
        [one]: defineStep({ accepts: Start, emits: A, run: () => [] }),
        [`${two}b`]: defineStep({ accepts: A, emits: [B, A], run: () => [] }),
        [`${three}c`]: defineStep({ accepts: A, emits: C, run: () => [] }),
        [`${four}d`]: defineStep({ accepts: join([B, C, A], { per: A }), emits: Stop, run: () => [] })
      }
    }) as AnyFlow
  })
)
