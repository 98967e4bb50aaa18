// The workflows of the soak: everything that a journal has to keep, a long loop, a delay, and a run that starts another.
import { appendFileSync } from "node:fs"
import { setTimeout as sleep } from "node:timers/promises"
import { Effect, Schema } from "effect"
import {
  type AnyWorkflow,
  around,
  CurrentInvocation,
  collect,
  defineEvent,
  defineState,
  defineStep,
  gather,
  join,
  workflow
} from "stepgraph"
import { durable, type Runs } from "../../src/index.ts"
import { everything, Flaky } from "../support/flows.ts"

/** A call as its process says before it begins: what is written to a file stays, however the process ends. */
export interface Begun {
  readonly run: string
  readonly call: string
  readonly attempt: number
  readonly input: unknown
  readonly at: number
}

const Ask = defineEvent("Ask", { n: Schema.Number })
const Token = defineEvent("Token", { n: Schema.Number })
const Question = defineEvent("Question", { id: Schema.String, n: Schema.Number })
export const Reply = defineEvent("Reply", { id: Schema.String, add: Schema.Number })

export const flowsWith = (log: string) => {
  const watched = <W extends AnyWorkflow>(flow: W): W =>
    around(flow as AnyWorkflow, ({ ctx: { attempt, runId }, input }, next) =>
      Effect.gen(function* () {
        const current = yield* CurrentInvocation
        const begun: Begun = { run: runId, call: current!.invocation, attempt, input, at: Date.now() }
        appendFileSync(log, `${JSON.stringify(begun)}\n`)
        return yield* next.effect
      })
    ) as unknown as W

  const Start = defineEvent("Start", { n: Schema.Number })
  const Round = defineEvent("Round", { n: Schema.Number })
  const Stop = defineEvent("Stop", { sum: Schema.Number })
  const sum = defineState("sum", Schema.Number, 0)
  const loop = workflow({
    name: "loop",
    start: Start,
    stop: Stop,
    steps: {
      begin: defineStep({ accepts: Start, emits: Round, run: ({ n }) => Round({ n }) }),
      again: defineStep({
        accepts: Round,
        emits: [Round, Stop],
        run: ({ n }, { get, update }) =>
          Effect.gen(function* () {
            yield* Effect.sleep(n % 4)
            update(sum, (sum) => sum + n)
            return n === 0 ? Stop({ sum: get(sum) }) : Round({ n: n - 1 })
          })
      })
    }
  })

  const delay = workflow({
    name: "delay",
    start: Start,
    stop: Stop,
    steps: {
      wait: defineStep({
        accepts: collect(Start, 2, { within: "1500 millis" }),
        emits: Round,
        run: (some) => Round({ n: some[0]!.n })
      }),
      end: defineStep({ accepts: Round, emits: Stop, run: ({ n }) => Stop({ sum: n }) })
    }
  })
  const Left = defineEvent("Left", { n: Schema.Number })
  const Right = defineEvent("Right", { n: Schema.Number })
  const Pair = defineEvent("Pair", { sum: Schema.Number })
  // Who meets whom depends on who comes first, and must be the same in each later process.
  const pairs = workflow({
    name: "pairs",
    start: Start,
    stop: Stop,
    steps: {
      begin: defineStep({
        accepts: Start,
        emits: Round,
        run: ({ n }) => Array.from({ length: n }, (_, n) => Round({ n }))
      }),
      left: defineStep({
        accepts: Round,
        emits: Left,
        run: ({ n }) => Effect.as(Effect.sleep((n * 7) % 5), Left({ n }))
      }),
      right: defineStep({
        accepts: Round,
        emits: Right,
        run: ({ n }) => Effect.as(Effect.sleep((n * 3) % 5), Right({ n }))
      }),
      pair: defineStep({ accepts: join([Left, Right]), emits: Pair, run: ([a, b]) => Pair({ sum: a.n + 2 * b.n }) }),
      end: defineStep({
        accepts: gather(Pair),
        emits: Stop,
        run: (all) => Stop({ sum: all.reduce((total, { sum }) => total + sum, 0) })
      })
    }
  })
  const loops = durable(watched(loop))

  const outer = workflow({
    name: "outer",
    start: Start,
    stop: Stop,
    steps: {
      inner: defineStep({
        accepts: Start,
        emits: Stop,
        run: ({ n }, { runId }): Effect.Effect<any, any, Runs> =>
          Effect.map(loops.execute(`${runId}/inner`, { n }), ({ sum }) => Stop({ sum }))
      })
    }
  })
  // Two questions one after the other, then two side by side, with events that go out before the end of the call.
  const asks = workflow({
    name: "asks",
    start: Start,
    stop: Stop,
    inputs: [Reply],
    outputs: [Token, Question],
    steps: {
      begin: defineStep({ accepts: Start, emits: Ask, run: ({ n }) => [1, 2].map((i) => Ask({ n: n * i })) }),
      ask: defineStep({
        accepts: Ask,
        emits: [Token, Question, Round],
        stream: Token,
        asks: Reply,
        run: async ({ n }, { ask, send }) => {
          const one = async (part: number) => {
            send(Token({ n: part }))
            await sleep((n + part) % 5)
            const id = `${n}.${part}`
            const { add } = await ask(Question({ id, n }), Reply, (reply) => reply.id === id)
            return add
          }
          const [first, second] = [await one(1), await one(2)]
          const [third, fourth] = await Promise.all([one(3), one(4)])
          return Round({ n: first + second + third + fourth })
        }
      }),
      end: defineStep({
        accepts: gather(Round),
        emits: Stop,
        run: (all) => Stop({ sum: all.reduce((sum, { n }) => sum + n, 0) })
      })
    }
  })

  return {
    asks: durable(watched(asks)),
    everything: durable(watched(everything({ called: () => {}, nap: (what) => what.length % 7 })), { errors: [Flaky] }),
    loop: loops,
    delay: durable(watched(delay)),
    pairs: durable(watched(pairs)),
    outer: durable(watched(outer))
  }
}

/** What each run of the soak is given, and must end with but for the winner of its race. */
export const cases = (many: number) =>
  Array.from({ length: many }, (_, i) => {
    const n = 4 + (i % 5)
    const sum = (n * (n - 1)) / 2
    const kind = (["everything", "loop", "delay", "pairs", "everything", "asks", "outer"] as const)[i % 7]!
    const id = `${kind}-${i}`
    if (kind === "everything") return { id, kind, n, ends: { sum: 3 * sum, by: ["Ada", "Bob"] } }
    if (kind === "pairs") return { id, kind, n, ends: { sum: 3 * sum } }
    if (kind === "asks") return { id, kind, n, ends: { sum: 12 * n } }
    if (kind === "delay") return { id, kind, n, ends: { sum: n } }
    return { id, kind, n: 8 * n, ends: { sum: (8 * n * (8 * n + 1)) / 2 } }
  })
