import { runPromise } from "stepgraph"
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest"
import { byHand, declared } from "./collect-three.ts"

describe.for([byHand, declared])("$name", (flow) => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["setTimeout"] })
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  it("runs once all three have come, in order of arrival", async () => {
    const result = runPromise(flow)
    await vi.advanceTimersByTimeAsync(60)
    expect(await result).toEqual({ _tag: "Stop", results: ["the quick one", "the one between", "the slow one"] })
  })

  it("does not run before the third", async () => {
    const ended = vi.fn()
    const result = runPromise(flow).then(ended)
    await vi.advanceTimersByTimeAsync(59)
    expect(ended).not.toHaveBeenCalled()
    await vi.advanceTimersByTimeAsync(1)
    await result
    expect(ended).toHaveBeenCalledOnce()
  })
})
