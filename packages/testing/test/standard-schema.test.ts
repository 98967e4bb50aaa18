// Workflows whose start event has a schema of another library are explored, too, with inputs that fit it.
import { explorePromise } from "@stepgraph/testing"
import { Schema } from "effect"
import { defineEvent, defineStep, workflow } from "stepgraph"
import { describe, expect, it } from "vitest"
import { z } from "zod"

const Stop = defineEvent("Stop", { it: Schema.Unknown })
const flowOf = (start: any, seen: Array<any> = []) =>
  workflow({
    name: "flow",
    start,
    stop: Stop,
    steps: {
      only: defineStep({
        accepts: start,
        emits: Stop,
        run: (it: any) => {
          seen.push(it)
          return Stop({ it })
        }
      })
    }
  } as never) as any

describe("explore", () => {
  const whole = z.object({ n: z.int().min(1).max(5), word: z.string().min(2).max(4), kind: z.enum(["a", "b"]) })
  const Mixed = defineEvent("Mixed", { n: z.int().min(1).max(5), at: Schema.Date, mail: z.email() })

  it("makes inputs from the JSON Schema of one that gives any", async () => {
    const seen: Array<any> = []
    const { inputs } = await explorePromise(flowOf(defineEvent("Whole", whole), seen))
    expect(inputs).toBeGreaterThan(5)
    for (const { _tag, ...fields } of seen) expect(whole.safeParse(fields).success).toBe(true)
    expect(new Set(seen.map(({ n }) => n)).size).toBeGreaterThan(2)
  })

  it("makes them beside Effect's own", async () => {
    const seen: Array<any> = []
    await explorePromise(flowOf(Mixed, seen))
    expect(seen.length).toBeGreaterThan(5)
    for (const { at } of seen) expect(at).toBeInstanceOf(Date)
  })

  it("leaves out what it refuses, and finds the smallest that breaks a rule", async () => {
    const Even = defineEvent("Even", {
      n: z
        .int()
        .min(0)
        .max(100)
        .refine((n) => n % 2 === 0)
    })
    const broken = explorePromise(flowOf(Even), {
      check: { small: (_: unknown, { result }: any) => (result.it.n < 10 ? undefined : "too large") }
    } as any)
    await expect(broken).rejects.toMatchObject({ _tag: "ScheduleFailure", input: { n: 10 } })
  })

  it("says to give an input where none fits", async () => {
    const Never = defineEvent("Never", { n: z.int().refine(() => false) })
    await expect(explorePromise(flowOf(Never))).rejects.toThrow("cannot generate an input from start event 'Never'")
  })
})
