// Run by `process.test.ts` under Node's own test runner.
import { deepEqual, rejects } from "node:assert/strict"
import { test } from "node:test"
import { explorePromise } from "@stepgraph/testing"
import { seed } from "./seed.ts"

test("six orders", async () => {
  const { complete, schedules } = await explorePromise(seed, { invariants: { sameResult: false } })
  deepEqual({ complete, schedules }, { complete: true, schedules: 6 })
})

test("two results", () => rejects(explorePromise(seed), { name: "ScheduleFailure" }))
