// The workflow runs in every order in which its steps could end. Time is virtual, so nothing here waits.
import assert from "node:assert/strict"
import { test } from "node:test"
import { explorePromise } from "@stepgraph/testing"
import { flow } from "./flow.ts"

const input = { item: "tea" }

test("lists the same quotes whichever shop answers first", async () => {
  const { complete, outcomes } = await explorePromise(flow, { input, timers: "virtual" })
  assert.equal(complete, true)
  assert.deepEqual(
    outcomes.map(({ outcome }) => outcome.text),
    ['Comparison {"quotes":["East 9","South 9","North 12"]}']
  )
})

test("leaves out a shop that does not answer", async () => {
  const { outcomes } = await explorePromise(flow, {
    input,
    timers: "virtual",
    faults: { max: 1, kinds: ["fail"], steps: ["ask"] },
    invariants: { sameResult: false }
  })
  assert.deepEqual(outcomes.map(({ outcome }) => outcome.text).sort(), [
    'Comparison {"quotes":["East 9","North 12"]}',
    'Comparison {"quotes":["East 9","South 9","North 12"]}',
    'Comparison {"quotes":["East 9","South 9"]}',
    'Comparison {"quotes":["South 9","North 12"]}'
  ])
})
