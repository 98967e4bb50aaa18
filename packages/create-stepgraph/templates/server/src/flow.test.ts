// The workflow runs in every order of its steps and of what is sent to it.
import assert from "node:assert/strict"
import { test } from "node:test"
import { explorePromise } from "@stepgraph/testing"
import { flow } from "./flow.ts"

const input = { title: "News", text: "It works." }

for (const [yes, result] of [
  [true, 'Published {"title":"News","by":"Ada"}'],
  [false, 'Rejected {"title":"News","by":"Ada"}']
] as const) {
  test(`has one result in every order, if Ada says ${yes ? "yes" : "no"}`, async () => {
    const sends = [{ _tag: "Approval", by: "Ada", yes }] as const
    const { complete, outcomes } = await explorePromise(flow, { input, sends, timers: "virtual" })
    assert.equal(complete, true)
    assert.deepEqual(
      outcomes.map(({ outcome }) => outcome.text),
      [result]
    )
  })
}
