import { Context, Effect, Layer, Schema } from "effect"
import { SqlClient, SqlResolver, SqlSchema } from "effect/sql"
import { Product, Sku, UnknownProduct } from "./domain.ts"

export class Products extends Context.Service<
  Products,
  {
    readonly find: (sku: Sku) => Effect.Effect<Product, UnknownProduct>
    readonly list: Effect.Effect<ReadonlyArray<Product>>
  }
>()("shop/Products") {
  static readonly layer = Layer.effect(
    Products,
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient

      const bySku = SqlResolver.findById({
        Id: Sku,
        Result: Product,
        ResultId: ({ sku }) => sku,
        execute: (skus) => sql`SELECT * FROM products WHERE sku IN ${sql.in(skus)}`
      })
      const all = SqlSchema.findAll({
        Request: Schema.Void,
        Result: Product,
        execute: () => sql`SELECT * FROM products ORDER BY sku`
      })

      return Products.of({
        find: Effect.fn("Products.find")((sku) =>
          SqlResolver.request(sku, bySku).pipe(
            Effect.catchTags({
              NoSuchElementError: () => new UnknownProduct({ sku }),
              SchemaError: Effect.die,
              SqlError: Effect.die
            })
          )
        ),
        list: all().pipe(Effect.orDie, Effect.withSpan("Products.list"))
      })
    })
  )
}
