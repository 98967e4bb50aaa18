// A launched run that fails unobserved: a failure is never lost.
import { execFile } from "node:child_process"
import { join } from "node:path"
import { promisify } from "node:util"
import { workspace } from "@stepgraph/conformance/support/compile"
import { Effect, Schema } from "effect"
import { defineEvent, defineStep, launchPromise, workflow } from "stepgraph"
import { describe, expect, it } from "vitest"

const Start = defineEvent("Start")
const Fail = defineEvent("Fail", { how: Schema.String })
const Stop = defineEvent("Stop")

/** Fails on command: `now` or `later`. */
const fragile = workflow({
  name: "fragile",
  start: Start,
  stop: Stop,
  inputs: [Fail],
  steps: {
    begin: defineStep({ accepts: Start, emits: [], run: () => {} }),
    fail: defineStep({
      accepts: Fail,
      emits: Stop,
      run: ({ how }) =>
        how === "interrupted" ? Effect.interrupt : Effect.andThen(Effect.yieldNow, Effect.fail(new Error(how)))
    })
  }
})
const launched = (options = {}) => launchPromise(fragile, {}, options)
const fail = (how = "broken") => Fail({ how })
const turns = async () => {
  for (let turn = 0; turn < 5; turn++) await new Promise((resume) => setImmediate(resume))
}

/** The unhandled rejections that Node reports during a program, and shortly after. */
const unhandledIn = async (program: () => unknown): Promise<ReadonlyArray<unknown>> => {
  const unhandled: Array<unknown> = []
  const note = (reason: unknown) => void unhandled.push((reason as Error).message)
  process.on("unhandledRejection", note)
  try {
    await program()
    await turns()
  } finally {
    process.off("unhandledRejection", note)
  }
  return unhandled
}

describe("an unread failure is an unhandled rejection", () => {
  it.each<[string, () => unknown]>([
    ["of a run that goes on", async () => (await launched()).send(fail())],
    [
      "of a run whose handle is used, but not asked for its result or events",
      async () => {
        const live = await launched()
        await live.send(fail())
        await live.closeInputs()
        await live.status()
      }
    ],
    [
      "of a run that is interrupted after it has failed",
      async () => {
        const live = await launched()
        await live.send(fail())
        while ((await live.status()).state !== "ended") await new Promise((resume) => setImmediate(resume))
        await live.interrupt()
      }
    ],
    [
      "of a run that fails although it has a signal",
      async () => (await launched({ signal: new AbortController().signal })).send(fail())
    ]
  ])("%s", async (_, program) => {
    expect(await unhandledIn(program)).toEqual(["broken"])
  })

  it("of a run that fails before there is a handle", async () => {
    const flow = workflow({
      ...fragile,
      steps: {
        ...fragile.steps,
        begin: defineStep({ accepts: Start, emits: [], run: () => Effect.fail(Error("early")) })
      }
    })
    expect(await unhandledIn(() => launchPromise(flow))).toEqual(["early"])
    expect(await unhandledIn(async () => (await launchPromise(flow)).result.catch(() => {}))).toEqual([])
  })

  it("of a run that interrupts itself", async () => {
    expect(await unhandledIn(async () => (await launched()).send(fail("interrupted")))).toEqual([
      "workflow 'fragile' was interrupted"
    ])
  })

  it("and ends the process", { timeout: 30_000 }, async () => {
    const program = `
      import { defineEvent, defineStep, launchPromise, workflow } from "stepgraph"
      const Start = defineEvent("Start"), Stop = defineEvent("Stop")
      const bad = defineStep({ accepts: Start, emits: Stop, run: async () => { throw new Error("broken") } })
      await launchPromise(workflow({ name: "bad", start: Start, stop: Stop, steps: { bad } }))
    `
    const running = promisify(execFile)(process.execPath, ["--input-type=module", "--eval", program], {
      cwd: join(workspace, "examples")
    })
    const { code, stderr } = await running.then(
      () => ({ code: 0, stderr: "" }),
      (error) => error
    )
    expect(code).toBe(1)
    expect(stderr).toContain("step 'bad' of workflow 'bad' rejected")
  })
})

describe("a failure is not an unhandled rejection", () => {
  it.each<[string, () => unknown]>([
    [
      "where the result is asked for before, and read after",
      async () => {
        const live = await launched()
        const { result } = live
        await live.send(fail())
        await turns()
        await expect(result).rejects.toThrow("broken")
      }
    ],
    [
      "where the events are read, and the result is not",
      async () => {
        const live = await launched()
        const reading = (async () => {
          for await (const _ of live.events);
        })()
        await live.send(fail())
        await expect(reading).rejects.toThrow("broken")
      }
    ],
    [
      "where it is the interruption that the handle was asked for",
      async () => {
        const live = await launched()
        await live.interrupt()
      }
    ],
    [
      "where the handle is disposed of",
      async () => {
        await using live = await launched()
        await live.status()
      }
    ],
    [
      "where it comes after the handle is disposed of",
      async () => {
        await using live = await launched()
        await live.send(fail())
      }
    ],
    [
      "where it is the interruption that its signal was aborted for",
      async () => {
        const controller = new AbortController()
        await launched({ signal: controller.signal })
        controller.abort(new Error("enough"))
      }
    ]
  ])("%s", async (_, program) => {
    expect(await unhandledIn(program)).toEqual([])
  })
})
