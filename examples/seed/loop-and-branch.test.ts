import { runPromise } from "stepgraph"
import { describe, expect, it } from "vitest"
import { editing } from "./loop-and-branch.ts"

const text = "It is really quite a very small example"

describe("editing", () => {
  it("publishes a draft that needs no revision", async () => {
    expect(await runPromise(editing, { text: "It is small", revisions: 0 })).toEqual({
      _tag: "Published",
      text: "It is small",
      revisions: 0
    })
  })

  it("revises until the review finds nothing", async () => {
    expect(await runPromise(editing, { text, revisions: 3 })).toEqual({
      _tag: "Published",
      text: "It is a small example",
      revisions: 3
    })
  })

  it("gives up at the limit", async () => {
    expect(await runPromise(editing, { text, revisions: 2 })).toEqual({
      _tag: "GivenUp",
      text: "It is a very small example",
      because: "it still says 'very'"
    })
  })

  it("counts each run separately", async () => {
    const [one, other] = await Promise.all([
      runPromise(editing, { text, revisions: 3 }),
      runPromise(editing, { text, revisions: 0 })
    ])
    expect([one._tag, other._tag]).toEqual(["Published", "GivenUp"])
  })
})
