// The workflow in every order of events, each with a database of its own.
import { expect, it } from "@effect/vitest"
import * as Sqlite from "@stepgraph/durable/sqlite"
import { explore } from "@stepgraph/testing"
import { Array as Arr, Effect, Layer, Record } from "effect"
import { SqlClient } from "effect/sql"
import { type EventOf, run } from "stepgraph"
import { checkout, PlaceOrder } from "./checkout.ts"
import { Sku } from "./domain.ts"
import { Payments } from "./partners.ts"
import { Services } from "./server.ts"

const layer = Layer.provideMerge(Services, Sqlite.layer({ filename: ":memory:" }))

const order = (...lines: Arr.NonEmptyArray<readonly [sku: string, quantity: number]>) =>
  PlaceOrder({
    customer: "Ada",
    lines: Arr.map(lines, ([sku, quantity]) => ({ sku: Sku.make(sku), quantity }))
  })

const tag = ({ _tag }: { readonly _tag: string }) => _tag
/** A run as the server makes it, and how it ended: a typed error is an answer, too. */
const placed = (flow: typeof checkout, input: EventOf<typeof PlaceOrder>) =>
  run(flow, input).pipe(Effect.scoped, Effect.match({ onSuccess: tag, onFailure: tag }))

/** Dies unless all that has left the stock has been placed and paid for, and nothing is held. */
const balanced = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const { captured, held } = yield* Effect.flatMap(Payments, ({ balance }) => balance)
  const [books] = yield* sql`
    SELECT
      (SELECT count(*) FROM orders WHERE status = 'reserved') AS reserved,
      (SELECT 10 + 5 + 2 - sum(stock) FROM products) - (
        SELECT coalesce(sum(quantity), 0) FROM order_lines JOIN orders ON id = order_id WHERE status = 'placed'
      ) AS lost,
      ${captured} - (SELECT coalesce(sum(total), 0) FROM orders WHERE status = 'placed') AS unpaid`
  expect(Record.filter({ ...books, held }, (n) => n !== 0)).toEqual({})
}).pipe(Effect.orDie)

const ends = (outcomes: ReadonlyArray<{ readonly outcome: { readonly result: unknown } }>) =>
  outcomes.map(({ outcome }) => outcome.result)

it.effect("places an order, or runs out of time, in every order of events", () =>
  Effect.gen(function* () {
    const seen = yield* explore(checkout, {
      layer,
      input: order(["kettle", 1], ["toaster", 2]),
      program: placed,
      faults: { kinds: ["timeout"] },
      invariants: { sameResult: false }
    })
    expect(ends(seen.outcomes)).toEqual(["OrderPlaced", "WorkflowTimedOut"])
    expect(seen.complete).toBe(true)
    expect(seen.coverage.ratio).toBe(1)
  })
)

it.effect("loses neither stock nor money, whichever step fails and whenever the client goes away", () =>
  Effect.gen(function* () {
    const seen = yield* explore(checkout, {
      layer,
      input: order(["kettle", 1], ["toaster", 2]),
      program: (flow, input) => Effect.ensuring(placed(flow, input), balanced),
      faults: { kinds: ["fail", "fail-after", "die", "interrupt", "timeout"] },
      cancel: true,
      invariants: { sameResult: false }
    })
    expect(seen.complete).toBe(true)
    expect(ends(seen.outcomes)).toEqual(expect.arrayContaining(["OrderPlaced", "InjectedFault", "WorkflowTimedOut"]))
  })
)

it.effect("sells two ovens to two of three customers", () =>
  Effect.gen(function* () {
    const seen = yield* explore(checkout, {
      layer,
      input: order(["oven", 1]),
      time: "ordered",
      program: (flow, input) =>
        Effect.all(
          Arr.makeBy(3, () => placed(flow, input)),
          { concurrency: "unbounded" }
        ).pipe(
          Effect.map((all) => all.sort().join()),
          Effect.ensuring(balanced)
        )
    })
    expect(ends(seen.outcomes)).toEqual(["OrderPlaced,OrderPlaced,OutOfStock"])
    expect(seen.complete).toBe(true)
  })
)

it.live("takes back a whole run in a transaction that fails", () =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const input = order(["kettle", 1])
    const checked = Effect.andThen(Effect.scoped(run(checkout, input)), Effect.fail("second thoughts" as const))
    expect(yield* Effect.flip(sql.withTransaction(checked))).toBe("second thoughts")
    expect(yield* sql`SELECT * FROM orders`).toEqual([])
    expect(yield* sql`SELECT stock FROM products WHERE sku = 'kettle'`).toEqual([{ stock: 10 }])
  }).pipe(Effect.provide(layer))
)
