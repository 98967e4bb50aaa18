/** Workflows of unusual shapes that every drawing must handle. */
import { defineEvent, defineStep, gather, join, type Workflow, workflow } from "stepgraph"

type AnyFlow = Workflow<any, any, any, any, any, any>

const Start = defineEvent("Start")
const Stop = defineEvent("Stop")
const [A, B, C] = ["A", "B", "C"].map((tag) => defineEvent(tag))
const step = (accepts: unknown, emits: unknown): unknown => defineStep({ accepts, emits, run: () => [] } as never)
const flow = (name: string, steps: Record<string, unknown>): AnyFlow =>
  workflow({ name, start: Start, stop: Stop, steps } as never) as AnyFlow
const events = (count: number) => Array.from({ length: count }, (_, i) => defineEvent(`Event${i}`))

const chain = (length: number): AnyFlow => {
  const between = events(length)
  const steps = between.map((event, i) => {
    // Some arrows skip a step, some lead back.
    const also = i % 5 === 0 ? between[i + 2] : i % 7 === 3 ? between[i - 3] : undefined
    const emits = i === length - 1 ? Stop : also === undefined ? event : [event, also]
    return [`step${i}`, step(i === 0 ? Start : between[i - 1], emits)]
  })
  return flow("chain", Object.fromEntries(steps))
}

const fan = (width: number): AnyFlow => {
  const back = events(width)
  return flow("fan", {
    fan: step(Start, A),
    ...Object.fromEntries(back.map((event, i) => [`work${i}`, step(A, event)])),
    meet: step(join(back as never), Stop)
  })
}

const words = () => {
  const [made, end, graph, done, proto] = ["constructor", "end", "graph", "🙂 done", "__proto__"].map((tag) =>
    defineEvent(tag)
  )
  return flow("graph", {
    end: step(Start, [made, end]),
    constructor: step(made, graph),
    graph: step(end, done),
    subgraph: step([graph, done], proto),
    "🚀 launch": step(proto, Stop)
  })
}

const long = () => {
  const Long = defineEvent("L".repeat(200))
  return flow("n".repeat(200), {
    ["s".repeat(200)]: step(Start, Long),
    ["word ".repeat(40)]: step(join([Long, Long]), Stop)
  })
}

const scopes = () => {
  const [Doc, Page, Word, Words, Texts] = ["Doc", "Page", "Word", "Words", "Texts"].map((tag) => defineEvent(tag))
  return flow("scopes", {
    list: step(Start, Doc),
    open: step(Doc, Page),
    read: step(Page, Word),
    page: step(gather(Word!, { per: Page! }), Words),
    doc: step(gather(Words!, { per: Doc! }), Texts),
    all: step(gather(Texts!), Stop)
  })
}

/** Two scopes side by side, with arrows into and out of each, to the right and down. */
const beside = () => {
  const [Doc, Image, Text, Size, Page, Seen] = ["Doc", "Image", "Text", "Size", "Page", "Seen"].map((tag) =>
    defineEvent(tag)
  )
  return flow("beside", {
    list: step(Start, [Doc, Image]),
    doc: step(Doc, [Text, Seen]),
    docs: step(join([Text, Text] as never, { per: Doc! } as never), Page),
    image: step(Image, [Size, Seen]),
    images: step(gather(Size!, { per: Image! }), Page),
    seen: step(Seen, []),
    all: step(gather(Page!), Stop)
  })
}

export const unusual = {
  "one step": flow("one", { only: step(Start, Stop) }),
  "60 steps": chain(60),
  "a fan of 20": fan(20),
  "six events on one arrow": (() => {
    const six = events(6)
    return flow("six", { make: step(Start, six), take: step(six, Stop) })
  })(),
  "a step that feeds itself": flow("self", { begin: step(Start, A), loop: step(A, [A, Stop]) }),
  "a step that starts itself": flow("again", { loop: step(Start, [Start, Stop]) }),
  "two gathers in a circle": flow("circle", {
    begin: step(Start, A),
    one: step(gather(A!), B),
    other: step(gather(B!), [A, Stop])
  }),
  "a loop in a loop": flow("loops", { outer: step([Start, C], A), inner: step([A, B], [B, C, Stop]) }),
  "names that are words of a language": words(),
  "names of 200 characters": long(),
  "a scope in a scope": scopes(),
  "a scope beside a scope": beside()
} satisfies Record<string, AnyFlow>
