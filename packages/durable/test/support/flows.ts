// A workflow with everything that a journal has to keep: a fan-out with state, retries, a race, a join, a deadline, inputs.
import { Effect, Schedule, Schema } from "effect"
import { collect, defineEvent, defineState, defineStep, gather, join, race, workflow } from "stepgraph"

export const Start = defineEvent("Start", { n: Schema.Number })
export const Task = defineEvent("Task", { n: Schema.Number })
export const Done = defineEvent("Done", { n: Schema.Number, at: Schema.Date })
export const Summed = defineEvent("Summed", { sum: Schema.Number, ns: Schema.Array(Schema.Number) })
export const Bid = defineEvent("Bid", { n: Schema.Number })
export const Won = defineEvent("Won", { n: Schema.Number })
const Won2 = defineEvent("Won2", { n: Schema.Number })
export const Late = defineEvent("Late", { some: Schema.Number })
export const Approval = defineEvent("Approval", { by: Schema.String })
export const Progress = defineEvent("Progress", { n: Schema.Number })
export const Stop = defineEvent("Stop", { sum: Schema.Number, winner: Schema.Number, by: Schema.Array(Schema.String) })

export class Flaky extends Schema.TaggedError<Flaky>("Flaky")("Flaky", { n: Schema.Number }) {}

const sum = defineState("sum", Schema.Number, 0)

export interface World {
  /** Called by each step when it begins. */
  readonly called: (what: string) => void
  /** How long a step takes, in milliseconds. */
  readonly nap: (what: string) => number
}

export const everything = ({ called, nap }: World) =>
  workflow({
    name: "everything",
    start: Start,
    stop: Stop,
    inputs: [Approval],
    outputs: [Progress],
    steps: {
      begin: defineStep({
        accepts: Start,
        emits: [Task, Bid],
        run: ({ n }) => {
          called("begin")
          return [...Array.from({ length: n }, (_, n) => Task({ n })), Bid({ n: 1 }), Bid({ n: 2 }), Bid({ n: 3 })]
        }
      }),
      work: defineStep({
        accepts: Task,
        emits: [Done, Progress],
        workers: 3,
        retry: { times: 2, schedule: Schedule.exponential("2 millis") },
        run: ({ n }, { attempt, update, send, runId }) =>
          Effect.gen(function* () {
            called(`work ${runId} ${n}.${attempt}`)
            yield* Effect.sleep(nap(`work ${n}`))
            if (n % 3 === 0 && attempt === 1) return yield* new Flaky({ n })
            update(sum, (sum) => sum + n)
            send(Progress({ n }))
            return Done({ n, at: new Date(n * 1000) })
          })
      }),
      total: defineStep({
        accepts: gather(Done),
        emits: Summed,
        run: async (all, { get }) => {
          called("total")
          return Summed({ sum: get(sum), ns: all.map(({ n, at }) => n + at.getTime() / 1000) })
        }
      }),
      bid: defineStep({
        accepts: Bid,
        emits: Won,
        run: ({ n }) =>
          Effect.gen(function* () {
            called(`bid ${n}`)
            yield* Effect.sleep(nap(`bid ${n}`))
            return Won({ n })
          })
      }),
      wins: defineStep({ accepts: race(Won), emits: Late, run: ({ n }) => Late({ some: n }) }),
      waits: defineStep({
        accepts: collect(Late, 5, { within: "5 millis" }),
        emits: Won2,
        run: (late) => {
          called("waits")
          return Won2({ n: late[0]!.some })
        }
      }),
      end: defineStep({
        accepts: join([Summed, Won2, Approval, Approval]),
        emits: Stop,
        run: ([summed, won, first, second]) => {
          called("end")
          return Stop({
            sum: summed.sum + summed.ns.reduce((sum, n) => sum + n, 0),
            winner: won.n,
            by: [first.by, second.by]
          })
        }
      })
    }
  })
