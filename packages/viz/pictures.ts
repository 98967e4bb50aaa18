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
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { TestClock } from "effect/testing"
import { Observer, run, type TraceEntry } from "stepgraph"
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
  digest
}
const pages = ["README.md", "docs/pictures.md", "packages/viz/README.md"]

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

/** The current content of all files with pictures, by path in the repository. */
export const pictures = async (): Promise<ReadonlyMap<string, string>> => {
  const runs: Readonly<Record<string, Timeline>> = { "digest-run": await Effect.runPromise(digestRun) }
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
