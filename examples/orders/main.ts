// Orders on one SQLite file. It can be killed at any time: start it again, and it goes on where it was.
//
//   node examples/orders/main.ts order-17        starts the order, or goes on with it, until it has ended
//   npx stepgraph runs runs.db                   lists all orders, from another terminal
//   npx stepgraph runs runs.db show order-17 --flow examples/orders/workflow.ts
//   npx stepgraph runs runs.db send order-17 Decision '{ "by": "Ada", "yes": true }' --flow examples/orders/workflow.ts
import { openDurable } from "@stepgraph/durable"
import { orders } from "./workflow.ts"

const [id = "order-17", cents = "995"] = process.argv.slice(2)

await using runs = await openDurable({ sqlite: "runs.db" }, [orders])
const run = await runs.start(orders, id, { item: "kettle", cents: Number(cents) })
for await (const event of run.events()) {
  const { _tag, ...fields } = event
  console.log(`${id}: ${_tag} ${JSON.stringify(fields)}`)
}
