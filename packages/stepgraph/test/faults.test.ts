// Makes every internal call of a run throw, one at a time, in every form of a step: each run ends, and reports the
// error.
import { describe, expect, it } from "@effect/vitest"
import { share } from "@stepgraph/conformance"
import { Effect, Exit, type Fiber, Logger, Schema, Stream } from "effect"
import { collect, defineEvent, defineStep, gather, join, Observer, race, run, Telemetry, workflow } from "stepgraph"
import { Attempt } from "../src/internal/runtime/call/attempt.ts"
import { Calls } from "../src/internal/runtime/call/calls.ts"
import { Invocation } from "../src/internal/runtime/call/invocation.ts"
import { Staged } from "../src/internal/runtime/call/outbox.ts"
import { Receiving } from "../src/internal/runtime/call/receiving.ts"
import { BackPressure } from "../src/internal/runtime/flow/back-pressure.ts"
import { Budget } from "../src/internal/runtime/flow/budget.ts"
import { Lane } from "../src/internal/runtime/flow/lane.ts"
import { Loop } from "../src/internal/runtime/flow/loop.ts"
import { Outcome } from "../src/internal/runtime/flow/outcome.ts"
import { Ready } from "../src/internal/runtime/flow/ready.ts"
import { Router } from "../src/internal/runtime/flow/router.ts"
import { Timers } from "../src/internal/runtime/flow/timers.ts"
import { HandCollector } from "../src/internal/runtime/intake/by-hand.ts"
import { Cell } from "../src/internal/runtime/intake/cell.ts"
import { Cells } from "../src/internal/runtime/intake/cells.ts"
import { Collector } from "../src/internal/runtime/intake/collector.ts"
import { Gather } from "../src/internal/runtime/intake/gather.ts"
import { Intakes } from "../src/internal/runtime/intake/intakes.ts"
import { Join } from "../src/internal/runtime/intake/join.ts"
import { Race } from "../src/internal/runtime/intake/race.ts"
import { ActiveRun } from "../src/internal/runtime/run/composition.ts"
import { Inputs } from "../src/internal/runtime/run/inputs.ts"
import { Shutdown } from "../src/internal/runtime/run/shutdown.ts"
import { Status } from "../src/internal/runtime/run/status.ts"
import { Lifetime } from "../src/internal/runtime/scope/lifetime.ts"
import { Position } from "../src/internal/runtime/scope/position.ts"
import { Quiescence } from "../src/internal/runtime/scope/quiescence.ts"
import { Races } from "../src/internal/runtime/scope/races.ts"
import { GroupWatch, Scope, Watch } from "../src/internal/runtime/scope/scope.ts"
import { Scopes } from "../src/internal/runtime/scope/scopes.ts"
import { Recorder } from "../src/internal/runtime/trace/recorder.ts"
import { untyped } from "./support/flow.ts"

const Start = defineEvent("Start")
const Item = defineEvent("Item", { n: Schema.Number })
const Done = defineEvent("Done", { n: Schema.Number })
const Stop = defineEvent("Stop", { n: Schema.Number })

/** Whether the run has stopped: later errors do not change its outcome. */
let stopping = false
const end = () => {
  stopping = true
  return Stop({ n: 1 })
}

class Refused extends Schema.TaggedError<Refused>()("Refused", {}) {}

/** The forms of a step that gets an item. */
const forms: Record<string, object> = {
  "a value": { run: ({ n }: any) => Done({ n }) },
  "several values": { run: ({ n }: any) => [Done({ n }), Done({ n })] },
  nothing: { run: () => {} },
  "a promise": { run: async ({ n }: any) => Done({ n }) },
  "a generator": {
    *run({ n }: any) {
      yield Done({ n })
      yield Done({ n })
    }
  },
  "an async generator": {
    async *run({ n }: any) {
      yield Done({ n })
      yield Done({ n })
    }
  },
  "an Effect": { run: ({ n }: any) => Effect.as(Effect.yieldNow, Done({ n })) },
  "an Effect that ends at once": { run: ({ n }: any) => Effect.succeed(Done({ n })) },
  "a Stream": { run: ({ n }: any) => Stream.fromIterable([Done({ n }), Done({ n })]) },
  "sent events": {
    run: async ({ n }: any, { send }: any) => {
      send(Done({ n }))
      await undefined
      send(Done({ n }))
    }
  },
  "a timeout": { timeout: "1 hour", run: async ({ n }: any) => Done({ n }) },
  "a retry": {
    retry: { times: 2 },
    run: async ({ n }: any, { attempt }: any) => {
      if (attempt < 2) throw new Error("not yet")
      return Done({ n })
    }
  },
  "a recovery": { run: () => Effect.fail(new Refused()), recover: () => Done({ n: 0 }) },
  "what it collects": { run: ({ n }: any, ctx: any) => ctx.collect([Item, Item]) && Done({ n }) },
  "a failure": { run: () => Effect.fail(new Refused()) },
  "a throw": {
    run: () => {
      throw new Error("thrown")
    }
  },
  "a rejection": { run: () => Promise.reject(new Error("rejected")) },
  "a wrong event": { run: () => Start() },
  "a run": { run: ({ n }: any) => Effect.as(run(inner), Done({ n })) }
}

const inner = workflow({
  name: "inner",
  start: Start,
  stop: Stop,
  steps: { stop: defineStep({ accepts: Start, emits: Stop, run: async () => Stop({ n: 0 }) }) }
})

/** The step after it. */
const intakes: Record<string, object> = {
  "a gather": { accepts: gather(Done), run: end },
  "a join": { accepts: join([Done, Done]), run: end },
  "a collect with a deadline": { accepts: collect(Done, 9, { within: 1 }), run: end },
  "a race": { accepts: race(Done), run: end },
  "a step without an intake": { accepts: Done, run: end }
}

const flowOf = (form: object, intake: object) =>
  workflow({
    name: "flow",
    start: Start,
    stop: Stop,
    steps: {
      begin: defineStep({ accepts: Start, emits: Item, run: () => [Item({ n: 1 }), Item({ n: 2 })] }),
      work: untyped.step({ accepts: Item, emits: Done, ...form }),
      // Still working when the run ends, with something left to do.
      rest: defineStep({
        accepts: Item,
        emits: [],
        run: () => Effect.onInterrupt(Effect.never, () => Effect.yieldNow)
      }),
      end: untyped.step({ emits: Stop, ...intake })
    }
  } as any) as any as typeof inner

type Observation = <A, E>(effect: Effect.Effect<A, E>) => Effect.Effect<A, E>
const observations: Record<string, Observation> = {
  nobody: (effect) => effect,
  "an observer and telemetry": (effect) =>
    effect.pipe(
      Effect.provideService(Observer, () => {}),
      Effect.provideService(Telemetry, { spans: true, metrics: true })
    )
}

class Planted extends Error {
  constructor(where: string) {
    super(`planted in ${where}`)
  }
}

/** Replaces every method of the runtime by one that counts, and throws when its turn comes. */
const planted = (() => {
  const classes: Record<string, { readonly prototype: object }> = {
    ActiveRun,
    Attempt,
    BackPressure,
    Budget,
    Calls,
    Cell,
    Cells,
    Collector,
    Gather,
    GroupWatch,
    HandCollector,
    Inputs,
    Intakes,
    Invocation,
    Join,
    Lane,
    Lifetime,
    Loop,
    Outcome,
    Position,
    Quiescence,
    Race,
    Races,
    Ready,
    Receiving,
    Recorder,
    Router,
    Scope,
    Scopes,
    Shutdown,
    Staged,
    Status,
    Timers,
    Watch
  }
  let at = -1
  let after = false
  let calls = 0
  let where: string | undefined
  let stopped = false
  const originals: Array<() => void> = []
  const install = () => {
    for (const [name, { prototype }] of Object.entries(classes)) {
      for (const [key, descriptor] of Object.entries(Object.getOwnPropertyDescriptors(prototype))) {
        const original = descriptor.value
        if (key === "constructor" || typeof original !== "function") continue
        const method = function (this: unknown, ...args: ReadonlyArray<unknown>) {
          const mine = calls++ === at
          const result = mine && !after ? undefined : original.apply(this, args)
          if (!mine) return result
          where = `${name}.${key}`
          stopped = stopping
          throw new Planted(where)
        }
        Object.defineProperty(prototype, key, { ...descriptor, value: method })
        originals.push(() => Object.defineProperty(prototype, key, descriptor))
      }
    }
  }
  return {
    install,
    remove: () => {
      for (const restore of originals.splice(0)) restore()
    },
    /** Makes the call with this number throw, instead of its work or after it. */
    arm: (number: number, late: boolean) => {
      at = number
      after = late
      calls = 0
      where = undefined
      stopping = false
    },
    get calls() {
      return calls
    },
    get where() {
      return where
    },
    get stopped() {
      return stopped
    }
  }
})()

/** Runs it, and waits a number of turns for its end. */
const ended = async (effect: Effect.Effect<unknown, unknown>) => {
  const logged: Array<unknown> = []
  const logger = Logger.make(({ message }) => void logged.push(message))
  let fiber: Fiber.Fiber<unknown, unknown>
  try {
    fiber = Effect.runFork(Effect.provide(effect, Logger.layer([logger])))
  } catch (error) {
    return { exit: Exit.die(error), logged }
  }
  for (let turn = 0; turn < 60 && fiber.pollUnsafe() === undefined; turn++) {
    await new Promise((resume) => (turn < 40 ? setImmediate(resume) : setTimeout(resume, 1)))
  }
  return { exit: fiber.pollUnsafe(), logged }
}

/** Whether an error, or one behind it, is the planted one. */
const holds = (error: any, planted: (error: unknown) => boolean): boolean =>
  planted(error) ||
  (Array.isArray(error) && error.some((one) => holds(one, planted))) ||
  (typeof error === "object" && error !== null && "cause" in error && holds(error.cause, planted))

/** The reports of a fault, from every possible place. */
interface Told {
  readonly exit: Exit.Exit<unknown, unknown> | undefined
  readonly logged: ReadonlyArray<unknown>
}

/** The problem with a run in which a call threw, if any. */
const problemOf = ({ exit, logged }: Told, mayBeSilent: boolean): string | undefined => {
  const isPlanted = (error: unknown) => error instanceof Planted
  const isLogged = logged.some((message) => holds(message, isPlanted))
  if (exit === undefined) return "hangs"
  if (Exit.isSuccess(exit)) return mayBeSilent || isLogged ? undefined : "is silent"
  const errors = exit.cause.reasons.map((reason: any) => reason.error ?? reason.defect)
  if (!isLogged && !errors.some((error) => holds(error, isPlanted))) return "fails with something else"
  return errors.some(isPlanted) ? "does not name the place" : undefined
}

/** A partial search makes every eighth call throw, starting elsewhere in each sweep. */
const stride = share < 1 ? 8 : 1
let sweeps = 0

/** Makes each call throw in turn, in separate runs. */
const sweep = async (form: object, intake: object, observe: Observation): Promise<ReadonlyArray<string>> => {
  const problems = new Set<string>()
  // Rejections of a step's own promise before anything waits for it are another matter.
  const escaped = (error: unknown) => void (error instanceof Planted && problems.add(`${error.message} escapes`))
  process.on("unhandledRejection", escaped)
  planted.install()
  try {
    const flow = flowOf(form, intake)
    const once = () => ended(observe(run(flow)) as Effect.Effect<unknown, unknown>)
    planted.arm(-1, false)
    expect((await once()).exit).toBeDefined()
    const { calls } = planted
    expect(calls).toBeGreaterThan(20)
    const first = sweeps++
    for (const late of [false, true]) {
      for (let call = first % stride; call < calls; call += stride) {
        planted.arm(call, late)
        const told = await once()
        const { stopped, where } = planted
        planted.arm(-1, false)
        // Its remaining scheduled work does not belong to the next run.
        await new Promise((resume) => setImmediate(resume))
        // Runs vary in the number of their calls.
        if (where === undefined) continue
        // Work of a step that lost a race changes nothing, like any work after the stop event of its own or a nested
        // run. An exception while waiting for a promise counts as a rejection, which may be retried.
        const silent = intake === intakes["a race"] || form === forms["a run"] || where === "Invocation.wait"
        const problem = problemOf(told, stopped || silent)
        if (problem !== undefined) problems.add(`${problem}, ${late ? "after" : "in place of"} ${where}`)
      }
    }
  } finally {
    planted.remove()
    process.off("unhandledRejection", escaped)
  }
  return [...problems]
}

describe("a run ends and reports an error thrown anywhere inside it", () => {
  for (const [looking, observe] of Object.entries(observations)) {
    it.each(Object.entries(forms))(
      `in a step that gives %s, observed by ${looking}`,
      { timeout: 60_000 },
      async (_, form) => {
        expect(await sweep(form, intakes["a gather"]!, observe)).toEqual([])
      }
    )
  }

  for (const [behind, intake] of Object.entries(intakes)) {
    it.each(["a value", "a promise", "an Effect", "a retry"])(
      `in a step that gives %s to ${behind}`,
      { timeout: 60_000 },
      async (form) => {
        expect(await sweep(forms[form]!, intake, observations.nobody!)).toEqual([])
      }
    )
  }
})
