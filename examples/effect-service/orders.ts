import { Context, Effect, Layer } from "effect"
import { SqlClient, SqlSchema } from "effect/sql"
import { Order, OrderId, OutOfStock, type Sku, UnknownOrder } from "./domain.ts"

interface Line {
  readonly sku: Sku
  readonly quantity: number
  readonly price: number
}

export class Orders extends Context.Service<
  Orders,
  {
    /** Takes all lines from the stock, or none. */
    readonly reserve: (customer: string, lines: ReadonlyArray<Line>) => Effect.Effect<Order, OutOfStock>
    readonly place: (id: OrderId) => Effect.Effect<void>
    /** Puts the lines of an order that has not been placed back. */
    readonly cancel: (id: OrderId) => Effect.Effect<void>
    readonly find: (id: OrderId) => Effect.Effect<Order, UnknownOrder>
  }
>()("shop/Orders") {
  static readonly layer = Layer.effect(
    Orders,
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient

      const insert = SqlSchema.findOne({
        Request: Order.mapFields(({ customer, total, status }) => ({ customer, total, status })),
        Result: Order,
        execute: (order) => sql`INSERT INTO orders ${sql.insert(order)} RETURNING *`
      })
      const byId = SqlSchema.findOne({
        Request: OrderId,
        Result: Order,
        execute: (id) => sql`SELECT * FROM orders WHERE id = ${id}`
      })

      const take = Effect.fnUntraced(function* (order: OrderId, { quantity, sku }: Line) {
        const taken = yield* sql`
          UPDATE products SET stock = stock - ${quantity} WHERE sku = ${sku} AND stock >= ${quantity} RETURNING sku`
        if (taken.length === 0) return yield* new OutOfStock({ sku })
        yield* sql`INSERT INTO order_lines ${sql.insert({ order_id: order, sku, quantity })}`
      })

      const reserve = Effect.fn("Orders.reserve")(
        function* (customer: string, lines: ReadonlyArray<Line>) {
          const total = lines.reduce((sum, { price, quantity }) => sum + price * quantity, 0)
          const order = yield* insert({ customer, total, status: "reserved" })
          yield* Effect.forEach(lines, (line) => take(order.id, line), { discard: true })
          return order
        },
        sql.withTransaction,
        Effect.catchTags({ SqlError: Effect.die, SchemaError: Effect.die, NoSuchElementError: Effect.die })
      )

      const place = Effect.fn("Orders.place")((id: OrderId) =>
        Effect.orDie(sql`UPDATE orders SET status = 'placed' WHERE id = ${id}`)
      )

      const cancel = Effect.fn("Orders.cancel")(
        function* (id: OrderId) {
          const cancelled = yield* sql`
            UPDATE orders SET status = 'cancelled' WHERE id = ${id} AND status = 'reserved' RETURNING id`
          if (cancelled.length === 0) return
          const lines = sql`SELECT sku, sum(quantity) AS quantity FROM order_lines WHERE order_id = ${id} GROUP BY sku`
          yield* sql`UPDATE products SET stock = stock + line.quantity FROM (${lines}) AS line WHERE line.sku = products.sku`
        },
        sql.withTransaction,
        Effect.orDie
      )

      const find = Effect.fn("Orders.find")((id: OrderId) =>
        byId(id).pipe(
          Effect.catchTags({
            NoSuchElementError: () => new UnknownOrder({ id }),
            SchemaError: Effect.die,
            SqlError: Effect.die
          })
        )
      )

      return Orders.of({ reserve, place, cancel, find })
    })
  )
}
