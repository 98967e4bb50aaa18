import { explorePromise } from "@stepgraph/testing"
import { expect, it } from "vitest"
import { gathered } from "./gather-all.ts"

it("passes the answers in the order of the queries, in whatever order they come", async () => {
  const { complete, outcomes } = await explorePromise(gathered)
  expect(complete).toBe(true)
  expect(outcomes.map(({ outcome }) => outcome.text)).toEqual(['Stop {"result":"found a, found b, found c"}'])
})
