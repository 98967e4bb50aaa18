// `workflow()` is linear in the number of steps. The tests count work instead of time.
import { workOf } from "@stepgraph/conformance/support/work"
import { collect, defineEvent, defineStep, gather, join, race, workflow } from "stepgraph"
import { describe, expect, it } from "vitest"

const event = (tag: string) => defineEvent(tag)
const Start = event("Start")
const Stop = event("Stop")
const Item = event("Item")
const Done = event("Done")
const events = (name: string, count: number) => Array.from({ length: count }, (_, n) => event(`${name}${n}`))
const run = () => {}

type Flow = Parameters<typeof workflow>[0]
type Steps = Flow["steps"]
const define = { start: Start, stop: Stop }
const flow = (steps: Readonly<Record<string, unknown>>, more = {}) =>
  ({ name: "large", ...define, ...more, steps: steps as Steps }) as Flow
/** One item for each of `count` steps. */
const each = <A>(count: number, make: (n: number) => A): Record<string, A> =>
  Object.fromEntries(Array.from({ length: count }, (_, n) => [`step ${n}`, make(n)]))
const reversed = (steps: Readonly<Record<string, unknown>>) => Object.fromEntries(Object.entries(steps).reverse())

/** A path of this many steps from the start to the stop. */
const chain = (count: number, accepts: (event: typeof Item) => any = (event) => event) => {
  const between = [Start, ...events("E", count - 1), Stop]
  return each(count, (n) => defineStep({ accepts: accepts(between[n]!), emits: between[n + 1]!, run }))
}

const shapes: Readonly<Record<string, (count: number) => Flow>> = {
  "a chain": (count) => flow(chain(count)),
  "a chain that is declared from its end": (count) => flow(reversed(chain(count))),
  "a chain with a gather at its end": (count) =>
    flow({ ...chain(count), last: defineStep({ accepts: gather(Stop), emits: Done, run }) }, { stop: Done }),
  "gathers in a row": (count) => flow(chain(count, gather)),
  "races in a row": (count) => flow(chain(count, race)),
  "gathers in a circle": (count) => {
    const ring = events("E", count)
    return flow({
      first: defineStep({ accepts: Start, emits: ring[0]!, run }),
      ...each(count, (n) => defineStep({ accepts: gather(ring[n]!), emits: [ring[(n + 1) % count]!, Stop], run }))
    })
  },
  "kinds of scopes in a row": (count) => {
    const between = [Start, ...events("E", count - 1), Stop]
    const docs = events("Doc", count)
    return flow({
      ...each(count, (n) => defineStep({ accepts: between[n]!, emits: docs[n]!, run })),
      ...Object.fromEntries(
        docs.map((doc, n) => [
          `doc ${n}`,
          defineStep({ accepts: gather(doc, { per: doc }), emits: between[n + 1]!, run })
        ])
      )
    })
  },
  "parallel steps, and a gather": (count) =>
    flow({
      ...each(count, () => defineStep({ accepts: Start, emits: Done, run })),
      last: defineStep({ accepts: gather(Done), emits: Stop, run })
    }),
  "parallel steps, and a join": (count) => {
    const ends = events("End", count)
    return flow({
      ...each(count, (n) => defineStep({ accepts: Start, emits: ends[n]!, run })),
      last: defineStep({ accepts: join(ends), emits: Stop, run })
    })
  },
  "steps that all emit what as many others accept": (count) =>
    flow({
      ...reversed(each(count, () => defineStep({ accepts: Start, emits: Item, run }))),
      ...Object.fromEntries(
        Object.entries(each(count, () => defineStep({ accepts: Item, emits: Done, run }))).map(([name, step]) => [
          `after ${name}`,
          step
        ])
      ),
      last: defineStep({ accepts: collect(Done, 2), emits: Stop, run })
    }),
  "stop events": (count) => {
    const stops = events("Stop", count)
    return flow(
      each(count, (n) => defineStep({ accepts: Start, emits: stops[n]!, run })),
      { stop: stops }
    )
  },
  "inputs and outputs": (count) => {
    const inputs = events("In", count)
    const outputs = events("Out", count)
    return flow(
      {
        ...each(count, (n) => defineStep({ accepts: inputs[n]!, emits: outputs[n]!, run })),
        last: defineStep({ accepts: Start, emits: Stop, run })
      },
      { inputs, outputs }
    )
  }
}

describe("the cost of workflow()", () => {
  it("does not grow the stack: 10,000 steps in a row, and a gather behind them", () => {
    expect(() => workflow(shapes["a chain with a gather at its end"]!(10_000) as any)).not.toThrow()
  })

  it.each(Object.entries(shapes))("is linear for %s", (_, shape) => {
    const cost = (count: number) => {
      const definition = shape(count)
      return workOf(() => void workflow(definition as any))
    }
    expect(cost(400) / cost(200)).toBeLessThanOrEqual(2.3)
  })
})
