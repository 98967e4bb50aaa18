// The tables, in any database that a layer gives.
import { Effect, Layer } from "effect"
import { Migrator, SqlClient } from "effect/sql"

const migrate = Migrator.make({})({
  loader: Migrator.fromRecord({
    "0001_shop": Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      yield* sql`CREATE TABLE products (sku TEXT PRIMARY KEY, price INTEGER NOT NULL, stock INTEGER NOT NULL)`
      yield* sql`CREATE TABLE orders (
        id INTEGER PRIMARY KEY, customer TEXT NOT NULL, total INTEGER NOT NULL, status TEXT NOT NULL
      )`
      yield* sql`CREATE TABLE order_lines (
        order_id INTEGER NOT NULL REFERENCES orders, sku TEXT NOT NULL REFERENCES products, quantity INTEGER NOT NULL
      )`
      yield* sql`INSERT INTO products ${sql.insert([
        { sku: "kettle", price: 4_900, stock: 10 },
        { sku: "toaster", price: 3_500, stock: 5 },
        { sku: "oven", price: 89_900, stock: 2 }
      ])}`
    })
  })
})

export const Migrations = Layer.effectDiscard(migrate)
