// Draws the pictures of the documentation: `pnpm pictures`. A test checks that they are current.
//
// The SVGs are in docs/pictures. On a page, a text picture fills the first fence after a comment such as
//
//   <!-- pnpm pictures: gather-all -->
//
// The fence's language selects the format.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { type Timeline, timeline, toDot, toMermaid, toSvg, toText } from "@stepgraph/viz"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Random from "effect/Random"
import * as Stream from "effect/Stream"
import { TestClock } from "effect/testing"
import { launch, Observer, run, type TraceEntry } from "stepgraph"
import { Approval, agent } from "../../examples/agent/workflow.ts"
import { digest } from "../../examples/digest/workflow.ts"
import { search } from "../../examples/search/workflow.ts"
import { declared as collect } from "../../examples/seed/collect-three.ts"
import { joined } from "../../examples/seed/declared-order.ts"
import { firstWins } from "../../examples/seed/first-wins.ts"
import { gathered } from "../../examples/seed/gather-all.ts"
import { editing } from "../../examples/seed/loop-and-branch.ts"

const flows = {
  "gather-all": gathered,
  "first-wins": firstWins,
  collect,
  "order-by-join": joined,
  editing,
  search,
  digest,
  agent: agent(async () => ({ text: "", calls: [] }), {})
}
const pages = ["README.md", "docs/pictures.md", "docs/agents.md", "packages/viz/README.md"]

/** In virtual time, a run is the same on every machine. */
const digestRun = Effect.gen(function* () {
  const trace: Array<TraceEntry> = []
  const running = yield* run(digest, { articles: 8 }).pipe(
    Effect.provideService(Observer, (entry) => void trace.push(entry)),
    Effect.forkChild
  )
  yield* TestClock.adjust("1 minute")
  yield* Fiber.join(running)
  return timeline(trace, { workflow: digest })
}).pipe(Effect.provide(TestClock.layer()))

/** What a model says in each of its turns, how long it takes, and how long its tools take. */
const turns = [
  { takes: 700, calls: [["list", 150]] },
  {
    takes: 900,
    fails: true,
    calls: [
      ["a", 400],
      ["b", 700],
      ["c", 300]
    ]
  },
  { takes: 1_200, calls: [["write", 250]] },
  { takes: 800, calls: [] }
] as const

const agentRun = Effect.gen(function* () {
  const clock = yield* Clock.Clock
  const sleep = (millis: number) => Effect.runPromise(Effect.provideService(Effect.sleep(millis), Clock.Clock, clock))
  let [turn, failed] = [0, false]
  const model: Parameters<typeof agent>[0] = async (_, { onToken }) => {
    const { takes, calls, ...rest } = turns[turn]!
    for (let token = 0; token < 5; token++) {
      await sleep(takes / 5)
      onToken(".")
      if ("fails" in rest && token === 2 && !failed) {
        failed = true
        throw new Error("the line was cut")
      }
    }
    turn++
    return { text: "", calls: calls.map(([id, millis]) => ({ id, tool: id, input: String(millis) })) }
  }
  const names = turns.flatMap(({ calls }) => calls.map(([name]) => name))
  const tools = names.map((name) => [
    name,
    { dangerous: name === "write", run: (input: string) => sleep(Number(input)).then(() => "") }
  ])
  const flow = agent(model, Object.fromEntries(tools))
  const trace: Array<TraceEntry> = []
  const live = yield* launch(flow, { text: "Summarise my notes." }).pipe(
    Effect.provideService(Observer, (entry) => void trace.push(entry))
  )
  yield* Effect.forkChild(
    Stream.runForEach(live.events, (event) =>
      event._tag === "Question"
        ? Effect.delay(live.send(Approval({ id: event.id, yes: true })), "900 millis")
        : Effect.void
    )
  )
  // In small pieces: what promises do between two sleeps takes turns of the event loop, not time.
  for (let piece = 0; piece < 200; piece++) {
    yield* TestClock.adjust("50 millis")
    yield* Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))
  }
  yield* live.result
  return timeline(trace, { workflow: flow })
}).pipe(Effect.scoped, Random.withSeed("agent"), Effect.provide(TestClock.layer()))

/** The current content of all files with pictures, by path in the repository. */
export const pictures = async (): Promise<ReadonlyMap<string, string>> => {
  const runs: Readonly<Record<string, Timeline>> = {
    "digest-run": await Effect.runPromise(digestRun),
    "agent-run": await Effect.runPromise(agentRun)
  }
  const inText = (name: string, form: string): string => {
    const drawn = runs[name]
    if (drawn !== undefined) return toText(drawn)
    const flow = flows[name as keyof typeof flows]
    if (flow === undefined) throw new Error(`there is no picture '${name}'`)
    return { mermaid: toMermaid, dot: toDot, text: toText }[form as "mermaid" | "dot" | "text"](flow)
  }
  const fence = /(<!-- pnpm pictures: (\S+) -->\n+```(\w+)\n)[\s\S]*?(^```$)/gm
  return new Map([
    ...Object.entries(flows).map(([name, flow]) => [`docs/pictures/${name}.svg`, toSvg(flow)] as const),
    ...Object.entries(runs).map(([name, drawn]) => [`docs/pictures/${name}.svg`, toSvg(drawn)] as const),
    ["docs/pictures/digest-plays.svg", toSvg(runs["digest-run"]!, { play: "6 seconds" })] as const,
    ...pages.map((page) => {
      const filled = readFileSync(pathOf(page), "utf8").replace(
        fence,
        (_, before, name, form, after) => `${before}${inText(name, form)}\n${after}`
      )
      return [page, filled] as const
    })
  ])
}

export const pathOf = (file: string): string => join(fileURLToPath(new URL("../..", import.meta.url)), file)

if (import.meta.main) {
  mkdirSync(pathOf("docs/pictures"), { recursive: true })
  for (const [file, text] of await pictures()) writeFileSync(pathOf(file), text)
}
