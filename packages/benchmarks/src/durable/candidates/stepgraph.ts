import { type AnyDurable, durable, type OpenOptions, openDurable } from "@stepgraph/durable"
import { Schema } from "effect"
import { defineEvent, defineStep, gather, join, workflow } from "stepgraph"
import { type Engine, type Hooks, sideBySide } from "../candidate.ts"

const Hop = defineEvent("Hop", { n: Schema.Number, last: Schema.Number })
const Arrived = defineEvent("Arrived", { n: Schema.Number })
const Many = defineEvent("Many", { items: Schema.Number })
const Item = defineEvent("Item", { n: Schema.Number })
const Done = defineEvent("Done", { n: Schema.Number })
const Ready = defineEvent("Ready", { id: Schema.String })
const Walk = defineEvent("Walk", { id: Schema.String, n: Schema.Number, last: Schema.Number })
const Answer = defineEvent("Answer", { by: Schema.String })
const Went = defineEvent("Went", { by: Schema.String })

const flowsWith = ({ step, went }: Hooks) => {
  const chain = workflow({
    name: "chain",
    start: Hop,
    stop: Arrived,
    steps: {
      hop: defineStep({
        accepts: Hop,
        emits: [Hop, Arrived],
        run: async ({ last, n }) => {
          await step(n)
          return n === last ? Arrived({ n }) : Hop({ n: n + 1, last })
        }
      })
    }
  })
  const fan = workflow({
    name: "fan",
    start: Many,
    stop: Arrived,
    steps: {
      split: defineStep({
        accepts: Many,
        emits: Item,
        run: ({ items }) => Array.from({ length: items }, (_, i) => Item({ n: i + 1 }))
      }),
      work: defineStep({
        accepts: Item,
        emits: Done,
        workers: sideBySide,
        run: async ({ n }) => {
          await step(n)
          return Done({ n })
        }
      }),
      all: defineStep({ accepts: gather(Done), emits: Arrived, run: (all) => Arrived({ n: all.length }) })
    }
  })
  const goOn = defineStep({
    accepts: join([Ready, Answer]),
    emits: Went,
    run: async ([{ id }, { by }]) => {
      went(id)
      return Went({ by })
    }
  })
  const wait = workflow({ name: "wait", start: Ready, stop: Went, inputs: [Answer], steps: { goOn } })
  const walk = workflow({
    name: "walk",
    start: Walk,
    stop: Went,
    inputs: [Answer],
    steps: {
      walk: defineStep({
        accepts: Walk,
        emits: [Walk, Ready],
        run: async ({ id, last, n }) => {
          await step(n)
          return n === last ? Ready({ id }) : Walk({ id, n: n + 1, last })
        }
      }),
      goOn
    }
  })
  return { chain: durable(chain), fan: durable(fan), wait: durable(wait), walk: durable(walk) }
}

export const open = async (options: OpenOptions, hooks: Hooks): Promise<Engine> => {
  const flows = flowsWith(hooks)
  const runs = await openDurable(options, Object.values(flows) as Array<AnyDurable>)
  const chain = async (id: string, last: number) => {
    const run = await runs.start(flows.chain, id, { n: 1, last })
    return (await run.result).n
  }
  return {
    chain,
    // It goes on by itself: this only waits for it.
    goOn: chain,
    fan: async (id, items) => (await (await runs.start(flows.fan, id, { items })).result).n,
    wait: async (id, last) => {
      if (last === 0) await runs.start(flows.wait, id, { id })
      else {
        const run = await runs.start(flows.walk, id, { id, n: 1, last })
        const waits = async () =>
          (await run.status()).waiting.some(
            ({ needs, step }) => step === "goOn" && Object.keys(needs).join() === "Answer"
          )
        while (!(await waits())) await new Promise((resolve) => setTimeout(resolve, 10))
      }
    },
    answer: async (id) => {
      const handle = runs.run(flows.wait, id)
      await handle.send(Answer({ by: "Ada" }), { key: "answer" })
    },
    close: runs.close
  }
}
