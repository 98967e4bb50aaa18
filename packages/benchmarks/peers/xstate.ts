import { assign, createActor, fromPromise, sendTo, setup, toPromise } from "xstate"
import { awaiting, type Candidate } from "../src/candidate.ts"
import { aliveMillis, chainLength } from "../src/workloads.ts"

/** Starts an actor and waits for its output. */
const once = async (machine: any, input?: unknown): Promise<any> => {
  const actor = createActor(machine, { input })
  const output = toPromise(actor)
  actor.start()
  return output
}

// A machine that spawns an actor for each item and finishes when all of them have.
const fanned = <A>(work: (n: number) => Promise<A>, first: unknown, add: (sum: any, output: A) => unknown): any =>
  setup({
    types: {} as any,
    actors: { work: fromPromise(({ input }: { input: number }) => work(input)) }
  }).createMachine({
    context: ({ input, spawn }: any) => ({
      count: input,
      done: 0,
      sum: first,
      actors: Array.from({ length: input }, (_, n) => spawn("work", { id: `work${n}`, input: n }))
    }),
    output: ({ context }: any) => context.sum,
    initial: "working",
    states: {
      working: {
        always: { guard: ({ context }: any) => context.done === context.count, target: "done" },
        on: {
          "xstate.done.actor.*": {
            actions: assign(({ context, event }: any) => ({
              done: context.done + 1,
              sum: add(context.sum, event.output)
            }))
          }
        }
      },
      done: { type: "final" }
    }
  } as any)

const seedMachine = fanned(
  async (n) => `Query ${n + 1}`,
  [],
  (answers, answer) => [...answers, answer]
)
const seed = awaiting(async () => (await once(seedMachine, 3)).join(", "))

const fanMachine = fanned(
  async (n) => 2 * n,
  0,
  (sum, n) => sum + n
)

const loopMachine: any = setup({ types: {} as any }).createMachine({
  context: ({ input }: any) => ({ hops: 0, left: input }),
  output: ({ context }: any) => context.hops,
  initial: "ping",
  entry: sendTo(({ self }: any) => self, { type: "hop" }),
  states: Object.fromEntries([
    ...[
      ["ping", "pong"],
      ["pong", "ping"]
    ].map(([name, target]) => [
      name,
      {
        on: {
          hop: [
            { guard: ({ context }: any) => context.left === 0, target: "done" },
            {
              target,
              actions: [
                assign(({ context }: any) => ({ hops: context.hops + 1, left: context.left - 1 })),
                sendTo(({ self }: any) => self, { type: "hop" })
              ]
            }
          ]
        }
      }
    ]),
    ["done", { type: "final" }]
  ])
} as any)

const chainMachine: any = setup({ types: {} as any }).createMachine({
  context: ({ input }: any) => ({ n: input }),
  output: ({ context }: any) => context.n,
  initial: "step0",
  states: Object.fromEntries([
    ...Array.from({ length: chainLength }, (_, i) => [
      `step${i}`,
      { on: { next: { target: `step${i + 1}`, actions: assign(({ context }: any) => ({ n: context.n + 1 })) } } }
    ]),
    [`step${chainLength}`, { type: "final" }]
  ])
} as any)

const region = (text: string) => ({
  initial: "working",
  states: {
    working: {
      invoke: { src: text, onDone: { target: "done", actions: assign({ [text]: ({ event }: any) => event.output }) } }
    },
    done: { type: "final" }
  }
})
const mixedMachine: any = setup({
  types: {} as any,
  actors: { a: fromPromise(async () => "a"), b: fromPromise(async () => "b"), c: fromPromise(async () => "c") }
}).createMachine({
  type: "parallel",
  context: { a: "", b: "", c: "" },
  output: ({ context: { a, b, c } }: any) => `${c}, ${a}, ${b}`,
  states: { a: region("a"), b: region("b"), c: region("c") }
} as any)

const napMachine: any = setup({ types: {} as any }).createMachine({
  output: 1,
  initial: "napping",
  states: { napping: { after: { [aliveMillis]: "done" } }, done: { type: "final" } }
} as any)

export default {
  seed,
  promises: seed,
  fan: awaiting((count) => once(fanMachine, count)),
  loop: awaiting((left) => once(loopMachine, left)),
  chain: awaiting(async (count) => {
    let sum = 0
    for (let n = 0; n < count; n++) {
      const actor = createActor(chainMachine, { input: n })
      const output = toPromise(actor)
      actor.start()
      for (let i = 0; i < chainLength; i++) actor.send({ type: "next" })
      sum += (await output) as number
    }
    return sum
  }),
  mixed: awaiting(() => once(mixedMachine)),
  alive: awaiting(async (count) => {
    const naps = await Promise.all(Array.from({ length: count }, () => once(napMachine)))
    return naps.reduce((sum, one) => sum + one, 0)
  })
} satisfies Candidate
