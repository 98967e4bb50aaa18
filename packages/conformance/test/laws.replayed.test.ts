// A run is the list of what happened to it: fed to a new one, it happens again.
import type { TraceEntry } from "stepgraph"
import { expect, it, vi } from "vitest"
import { follow } from "../src/follow.ts"
import {
  allForms,
  anyShape,
  everything,
  inRow,
  joining,
  waiting,
  withAsks,
  withDeadlines,
  withInputs
} from "../src/generate.ts"
import { ends, generated, traceAddsUp } from "../src/laws.ts"
import { type Activation, asJournaled, type Journaled, journaled, oneByHand } from "../src/replay.ts"
import { searched, share } from "../src/search.ts"
import { pick, type Spec, show } from "../src/spec.ts"

vi.setConfig({ testTimeout: 240_000 })

const timed = (spec: Spec): Spec =>
  spec.seed % 4 === 0 ? { ...spec, timeout: 1 + pick(60_000, spec.seed, "timeout") } : spec

/** Rare graphs: they, or a cut of them, once led to an end that the model does not allow. */
const rare: ReadonlyArray<Spec> = [
  timed(withDeadlines(anyShape(1_000_056, joining))),
  // Two calls of one step ask at the same time, with what they have collected.
  timed(withAsks(anyShape(90, everything))),
  // The inputs are closed while one of them waits for a call that is made again, and may be answered by it.
  timed(withAsks(anyShape(1_000_041, everything))),
  timed(withAsks(anyShape(3_000_089, everything))),
  // A promise is rejected in the moment in which the run fails, and its step would recover.
  timed(anyShape(2_000_113, { ...everything, forms: allForms }))
]

const specs = [
  ...rare,
  ...generated(400, (seed) => timed(anyShape(seed, { ...everything, forms: allForms }))),
  ...generated(200, (seed) => timed(withDeadlines(anyShape(seed, joining)))),
  ...generated(100, (seed) => timed(inRow(seed, waiting))),
  ...generated(200, (seed) => timed(withInputs(anyShape(seed, { ...everything, forms: allForms })))),
  ...generated(100, (seed) => timed(withDeadlines(withInputs(anyShape(-seed, joining))))),
  ...generated(200, (seed) => timed(withAsks(anyShape(seed, everything)))),
  ...generated(100, (seed) => timed(withAsks(withInputs(inRow(-seed, waiting)))))
]

/** All of an entry but its time. */
const timeless = (trace: ReadonlyArray<TraceEntry>) => trace.map((entry) => JSON.stringify({ ...entry, at: 0 }))

const timingOf = ({ seed }: Spec, more = 0) => ({
  seed: Math.abs(seed) + more,
  shuffled: seed % 2 === 0,
  observed: true,
  inTurn: true
})

const fail = (spec: Spec, what: string, journal: ReadonlyArray<Activation>): never =>
  expect.fail([what, show(spec), ...journal.map(({ key }) => key), `spec ${JSON.stringify(spec)}`].join("\n"))

const check = (spec: Spec, of: Journaled, journal = of.journal) => {
  if (of.diverged !== undefined) fail(spec, of.diverged, journal)
  const withTrace = { ...of.ran, record: of.trace.map((entry) => ({ _tag: "traced" as const, entry })) }
  const broken = ends(spec, of.ran) ?? follow(asJournaled(spec), of.ran) ?? traceAddsUp(spec, withTrace)
  if (broken !== undefined) fail(spec, broken, journal)
}

it("happens again from its activations alone, in the same trace", async () => {
  let fed = 0
  const outcomes: Record<string, number> = {}
  for (const spec of specs) {
    const first = await journaled(spec, timingOf(spec))
    if (first.diverged !== undefined) fail(spec, first.diverged, first.journal)
    const again = await journaled(spec, timingOf(spec, 500), first.journal, true)
    const { journal } = first
    outcomes[first.ran.outcome._tag] = (outcomes[first.ran.outcome._tag] ?? 0) + 1
    if (again.diverged !== undefined) fail(spec, again.diverged, journal)
    const [a, b] = [timeless(first.trace), timeless(again.trace)]
    const other = a.findIndex((entry, i) => entry !== b[i])
    if (other >= 0 || a.length !== b.length)
      fail(spec, `entry ${other} of the trace was\n${a[other]}\nand is\n${b[other]}`, journal)
    if (JSON.stringify(again.ran.outcome) !== JSON.stringify(first.ran.outcome)) fail(spec, "another outcome", journal)
    if (again.called.length > 0) fail(spec, `${again.called.join()} called`, journal)
    if (again.ticks > 0) fail(spec, "time went on", journal)
    fed += journal.length
  }
  console.info(`${specs.length} graphs, ${fed} activations fed, ${JSON.stringify(outcomes)}`)
})

it("goes on from any of its activations to an end that the model allows", async () => {
  let cuts = 0
  let fed = 0
  for (const which of specs) {
    const spec = oneByHand(which)
    const first = await journaled(spec, timingOf(spec))
    check(spec, first)
    const cutsOfThis = share === 1 || rare.includes(which) ? 3 : 1
    for (let n = 0; n < cutsOfThis; n++) {
      const at = pick(first.journal.length + 1, spec.seed, "cut", n)
      const given = first.journal.slice(0, at)
      check(spec, await journaled(spec, timingOf(spec, 1000 + n), given), given)
      cuts++
      fed += at
    }
  }
  expect(cuts).toBeGreaterThanOrEqual(searched(1000))
  console.info(`${cuts} cuts, ${fed} activations fed`)
})
