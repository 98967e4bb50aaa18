import assert from "node:assert/strict"
import { test } from "node:test"
import { connect } from "@stepgraph/server/client"
import type { flow } from "./flow.ts"
import { start } from "./server.ts"

test("takes a draft and an approval from who has the token, and from nobody else", async (t) => {
  const server = await start("a-long-secret", 0)
  t.after(() => server.close())

  const remote = connect<typeof flow>({ url: server.url, workflow: "publish", token: "a-long-secret" })
  const run = await remote.start({ title: "News", text: "It works." })
  await run.send({ _tag: "Approval", by: "Ada", yes: true })
  assert.deepEqual(await run.result, { _tag: "Published", title: "News", by: "Ada" })

  assert.equal((await fetch(`${server.url}/api/runs`)).status, 401)
  assert.match(await (await fetch(server.url)).text(), /<html/)
})
