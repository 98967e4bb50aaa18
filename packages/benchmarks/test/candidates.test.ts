// Fast is worthless if wrong: every candidate that needs no extra installation answers small versions of all workloads.
import { describe, expect, it } from "vitest"
import type { Candidate } from "../src/candidate.ts"
import bareLoop from "../src/candidates/bare-loop.ts"
import forEach from "../src/candidates/effect-for-each.ts"
import queues from "../src/candidates/effect-queues.ts"
import pool from "../src/candidates/promise-pool.ts"
import stepgraph from "../src/candidates/stepgraph.ts"
import { quick } from "../src/workloads.ts"

const candidates: Readonly<Record<string, Candidate>> = {
  stepgraph,
  "Effect queues": queues,
  "Effect.forEach": forEach,
  "a promise pool": pool,
  "a bare loop": bareLoop
}

describe.each(Object.entries(candidates))("%s", (_, candidate) => {
  const able = quick.filter(({ name }) => candidate[name] !== undefined)

  it.each(able)("answers $title", async ({ name, size, answer }) => {
    const answers: Array<number | string> = []
    await candidate[name]!(size, 2, (given) => answers.push(given))
    expect(answers).toEqual([answer, answer])
  })
})

it("stepgraph does every workload", () => {
  expect(quick.filter(({ name }) => !(name in stepgraph))).toEqual([])
})
