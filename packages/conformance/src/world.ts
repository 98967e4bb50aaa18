// Builds the real workflow from a spec, and a small world for an engine to run it in, which controls time and the order of
// tasks. The steps' functions record what happens to them; the laws and the model check that record.
import { Cause, Clock, Effect, Exit, References, type Scheduler, Schema, type Scope, Stream } from "effect"
import * as Duration from "effect/Duration"
import { collect, defineEvent, defineStep, gather, join, Observer, race, type TraceEntry, workflow } from "stepgraph"
import { type Outcome, sumOf } from "./model.ts"
import {
  type Emitted,
  type Given,
  type Inputs,
  idOf,
  keyOfInput,
  type Payload,
  pick,
  plan,
  question,
  retries,
  runKey,
  type Spec,
  sent,
  token,
  waitsForPromises
} from "./spec.ts"

/** The decisions of one seed: how long each invocation sleeps, and which ready task goes first. */
export interface Timing {
  readonly seed: number
  readonly shuffled: boolean
  /** Whether there is an observer, which must not change anything. */
  readonly observed: boolean
  /** Whether what is asked at once is asked in one turn, so that a call which is made again asks in the same order. */
  readonly inTurn?: boolean
}

export type Entry =
  | {
      readonly _tag: "started"
      readonly run: number
      readonly step: number
      readonly input: ReadonlyArray<string>
      readonly attempt: number
    }
  /** An invocation that emits one by one is about to emit its next event. */
  | { readonly _tag: "sent"; readonly run: number }
  /** The last action of an attempt, unless it is interrupted; then the last action of its finalizers is "cleaned". */
  | { readonly _tag: "ended" | "failed" | "cleaned"; readonly run: number }
  /** An attempt is about to ask its next question, or goes on with these answers, or fails for want of one. */
  | { readonly _tag: "asked"; readonly run: number }
  | { readonly _tag: "answered"; readonly run: number; readonly by: ReadonlyArray<string> }
  | { readonly _tag: "unanswered"; readonly run: number }
  /** An event that is heard at once is about to be sent. */
  | { readonly _tag: "streamed"; readonly run: number }
  /** Time passes: nothing else can happen at the current time. */
  | { readonly _tag: "tick"; readonly now: number }
  /** An event is about to be sent from outside, or the inputs are about to be closed. */
  | { readonly _tag: "input"; readonly tag: string; readonly id: string }
  | { readonly _tag: "closed" }
  | { readonly _tag: "result" }
  | { readonly _tag: "traced"; readonly entry: TraceEntry }

export interface Ran {
  readonly record: ReadonlyArray<Entry>
  readonly outcome:
    | Outcome
    | { readonly _tag: "Hung" | "Endless" | "TimedOut" | "Interrupted" }
    | { readonly _tag: "Broken"; readonly why: string }
  /** The input and output of every invocation: `input` by step, and the ids emitted by its last attempt. */
  readonly runs: ReadonlyArray<Recorded>
  /**
   * Number of positions left in the order of emission at the end; undefined for an engine or a run without an order.
   */
  readonly places?: number | undefined
}

export interface Recorded {
  readonly number: number
  readonly step: number
  readonly input: ReadonlyArray<string>
  /** The event that opened the scope of its intake, if the intake has a `per`. */
  readonly opener: string | undefined
  emitted: Array<Emitted>
}

/** The failure of a step in a generated workflow. */
class Boom extends Error {
  readonly _tag = "Boom"
  readonly step: string
  readonly input: ReadonlyArray<string>
  constructor(step: string, input: ReadonlyArray<string>) {
    super(`${step} failed`)
    this.step = step
    this.input = input
  }
}

// ---------------------------------------------------------------- time and order

export interface World {
  readonly clock: Clock.Clock
  readonly scheduler: Scheduler.Scheduler
  /** A timer for steps that are not Effects. */
  readonly sleep: (millis: number, signal: AbortSignal) => Promise<void>
  /** Runs everything until nothing is left to do, and returns whether it came to an end. */
  readonly exhaust: (waitForPromises: boolean, onTick: (now: number) => void) => Promise<boolean>
}

/** A world whose time begins at `now`. */
export const makeWorld = (timing: Timing, now = 0): World => {
  let tasks: Array<{ readonly run: () => void; readonly priority: number }> = []
  const timers: Array<{ readonly at: number; readonly wake: () => void }> = []
  let taken = 0

  const setTimer = (millis: number, wake: () => void): (() => void) => {
    const timer = { at: now + millis, wake }
    const after = timers.findIndex((other) => other.at > timer.at)
    timers.splice(after < 0 ? timers.length : after, 0, timer)
    return () => {
      const index = timers.indexOf(timer)
      if (index >= 0) timers.splice(index, 1)
    }
  }
  const nextTask = (): (() => void) => {
    const priority = Math.min(...tasks.map((task) => task.priority))
    const first = tasks.filter((task) => task.priority === priority)
    const task = first[timing.shuffled ? pick(first.length, timing.seed, "task", taken++) : 0]!
    tasks = tasks.filter((other) => other !== task)
    return task.run
  }
  const nanos = () => BigInt(now) * 1_000_000n
  return {
    clock: {
      currentTimeMillisUnsafe: () => now,
      currentTimeMillis: Effect.sync(() => now),
      currentTimeNanosUnsafe: nanos,
      currentTimeNanos: Effect.sync(nanos),
      monotonicTimeNanosUnsafe: nanos,
      monotonicTimeNanos: Effect.sync(nanos),
      sleep: (duration) =>
        Effect.callback((resume) => {
          const cancel = setTimer(Duration.toMillis(duration), () => resume(Effect.void))
          return Effect.sync(cancel)
        })
    },
    scheduler: {
      executionMode: "async",
      shouldYield: (fiber) => fiber.currentOpCount >= 2048,
      makeDispatcher: () => ({
        scheduleTask: (run, priority) => {
          tasks.push({ run, priority })
        },
        flush: () => {
          while (tasks.length > 0) nextTask()()
        }
      })
    },
    sleep: (millis, signal) =>
      new Promise((resolve, reject) => {
        if (signal.aborted) return reject(new Error("aborted"))
        const cancel = setTimer(millis, resolve)
        signal.addEventListener("abort", () => {
          cancel()
          reject(new Error("aborted"))
        })
      }),
    exhaust: async (waitForPromises, onTick) => {
      for (let steps = 0; steps < 100_000; steps++) {
        if (tasks.length > 0) nextTask()()
        else {
          // Promises continue in microtasks; all of them have run by the next macrotask.
          if (waitForPromises) await new Promise<void>((resolve) => setImmediate(resolve))
          if (tasks.length > 0) continue
          const timer = timers.shift()
          if (timer === undefined) return true
          if (timer.at > now) onTick(timer.at)
          now = timer.at
          timer.wake()
        }
      }
      return false
    }
  }
}

// ---------------------------------------------------------------- the real workflow

/** Starts a run of a generated workflow, whose types are unknown. One with inputs is launched. */
export interface Doors {
  readonly run: (flow: any, input: any) => Effect.Effect<any, any>
  readonly launch: (flow: any, input: any) => Effect.Effect<Live, any, Scope.Scope>
}

export interface Live {
  readonly send: (event: any) => Effect.Effect<void, any>
  readonly closeInputs: Effect.Effect<void>
  readonly result: Effect.Effect<any, any>
}

/** Sends the spec's events at the times that the timing chooses, and then closes the inputs. */
export const sendAll = (spec: Spec, { sends, closes }: Inputs, timing: Timing, record: Array<Entry>, live: Live) =>
  Effect.gen(function* () {
    const wait = (most: number, n: number) => Effect.sleep(pick(most + 1, timing.seed, "outside", n))
    for (const [n, { after }] of sends.entries()) {
      yield* wait(after, n)
      const { tag, ...payload } = sent(spec, n)
      record.push({ _tag: "input", tag, id: payload.id })
      yield* live.send({ _tag: tag, ...payload }).pipe(Effect.catchTag("RunEnded", () => Effect.void))
    }
    yield* wait(closes, sends.length)
    record.push({ _tag: "closed" })
    yield* live.closeInputs
  })

/** Runs the spec's workflow once in a new world, and continues after its result until nothing moves any more. */
export const runWith = async ({ run, launch }: Doors, spec: Spec, timing: Timing): Promise<Ran> => {
  const world = makeWorld(timing)
  const record: Array<Entry> = []
  const runs: Array<Recorded> = []
  const flow = buildWorkflow(spec, timing, world, record, runs)
  const input = { id: "start", fuel: spec.fuel, key: 0 }
  const { inputs } = spec
  const running =
    inputs === undefined
      ? run(flow, input)
      : Effect.gen(function* () {
          const live = yield* launch(flow, input)
          const sending = yield* Effect.forkScoped(sendAll(spec, inputs, timing, record, live))
          const result = yield* Effect.exit(live.result)
          const sent = sending.pollUnsafe()
          if (sent !== undefined) yield* sent
          return yield* result
          // Silenced: the warning about a gather that waits for open inputs is expected here.
        }).pipe(Effect.scoped, Effect.provideService(References.MinimumLogLevel, "None"))
  let exit: Exit.Exit<any, any> | undefined
  const program = Effect.exit(running).pipe(
    Effect.map((result) => {
      record.push({ _tag: "result" })
      exit = result
    }),
    Effect.provideService(Clock.Clock, world.clock),
    Effect.provideService(Observer, timing.observed ? (entry) => record.push({ _tag: "traced", entry }) : undefined)
  )
  Effect.runFork(program, { scheduler: world.scheduler })
  const ended = await world.exhaust(waitsForPromises(spec), (now) => record.push({ _tag: "tick", now }))
  return { record, runs, outcome: exit === undefined ? { _tag: ended ? "Hung" : "Endless" } : outcomeOf(exit) }
}

export const outcomeOf = (exit: Exit.Exit<any, any>): Ran["outcome"] => {
  if (Exit.hasInterrupts(exit)) return { _tag: "Interrupted" }
  if (Exit.isSuccess(exit)) return { _tag: "Stopped", stop: exit.value._tag, id: exit.value.id }
  const error = Cause.squash(exit.cause) as any
  if (error?._tag === "WorkflowTimedOut") return { _tag: "TimedOut" }
  if (error?._tag === "WorkflowStalled") return { _tag: "Stalled", waiting: sumOf(error.waiting) }
  const boom = error?._tag === "StepRejected" || error?._tag === "StepDefect" ? error.cause : error
  if (error?._tag === "NoAnswer") return { _tag: "Unanswered", step: error.step, input: idsOf(error.input) }
  if (boom instanceof Boom) return { _tag: "Failed", step: boom.step, input: boom.input }
  return { _tag: "Broken", why: Cause.pretty(exit.cause) }
}

const idsOf = (input: any): ReadonlyArray<string> => (Array.isArray(input) ? input : [input]).map(idOf)

const fields = { id: Schema.String, fuel: Schema.Number, key: Schema.Number }

/** The workflow of a spec without its behaviour: enough for `workflow()` to accept or refuse it. */
export const buildWorkflow = (
  spec: Spec,
  timing: Timing = { seed: 0, shuffled: false, observed: false },
  world: Pick<World, "sleep"> = makeWorld(timing),
  record: Array<Entry> = [],
  runs: Array<Recorded> = []
): any => {
  const inputs = spec.inputs?.tags ?? []
  const asking = spec.steps.some(({ asks }) => asks !== undefined)
  const streaming = spec.steps.some(({ streams }) => streams)
  const heard = [...(asking ? [question] : []), ...(streaming ? [token] : [])]
  const tags = new Set([
    ...heard,
    spec.start,
    ...inputs,
    ...spec.steps.flatMap((step) => [...step.emits, ...step.accepts.of])
  ])
  const defs = new Map([...tags].map((tag) => [tag, defineEvent(tag, fields)]))
  const def = (tag: string) => defs.get(tag)!
  const make = ({ tag, ...payload }: Emitted) => def(tag)(payload)

  const accepts = ({ kind, of, count, per, by, within }: Spec["steps"][number]["accepts"]): any => {
    const options = {
      ...(per === undefined ? {} : { per: def(per) }),
      ...(by === undefined ? {} : { by: (event: Payload) => event.key }),
      ...(within === undefined ? {} : { within })
    }
    const list = of.map(def)
    if (kind === "join") return join(list, options)
    if (kind === "collect") return collect(list, count!, options)
    if (kind === "gather") return gather(list, options)
    if (kind === "race") return race(list, { ...options, ...(count === undefined ? {} : { take: count }) })
    return [...new Set(list)]
  }

  /** Begins an attempt: finds its invocation, or creates it. */
  const begin = (index: number, given: Given, attempt: number): Recorded => {
    const input = given.events.map(idOf)
    const opener = given.opener?.id
    const isSame = (other: Recorded) =>
      other.step === index && other.opener === opener && other.input.join() === input.join()
    const known = attempt === 1 ? undefined : runs.findLast(isSame)
    const which = known ?? { number: runs.length, step: index, input, opener, emitted: [] }
    if (which !== known) runs.push(which)
    // A loop that never yields cannot be stopped from outside.
    if (runs.length > 3000) throw new Error("the run never ends")
    which.emitted = []
    record.push({ _tag: "started", run: which.number, step: index, input, attempt })
    return which
  }

  const bodyOf = (index: number) => {
    const step = spec.steps[index]!
    const { form, accepts } = step
    return (input: any, ctx: any): any => {
      const events: ReadonlyArray<Payload> = Array.isArray(input) ? input : [input]
      const opener = accepts.per === undefined ? undefined : ctx.per
      const attempt = begin(index, { events, opener }, ctx.attempt)
      const together = accepts.kind === "hand" ? ctx.collect(accepts.of.map(def)) : events
      const nothing = { emits: [], failing: 0, before: 0 }
      const given: Given | undefined = together === undefined ? undefined : { events: together, opener }
      const planned = (answers: ReadonlyArray<string>) => {
        const { emits, failing, before } = given === undefined ? nothing : plan(spec, index, given, answers)
        return ctx.attempt <= failing ? { fails: true, list: emits.slice(0, before) } : { fails: false, list: emits }
      }
      let { fails, list } = planned([])
      const boom = new Boom(step.name, attempt.input)

      const nap = (part: number) =>
        pick(step.slow + 1, timing.seed, "sleep", runKey(step, { events, opener }), ctx.attempt, part)
      const cleanup = pick(step.cleanup + 1, timing.seed, "cleanup", attempt.number)
      const emitting = (emission: Emitted) => {
        attempt.emitted.push(emission)
        record.push({ _tag: "sent", run: attempt.number })
        return make(emission)
      }
      let over = false
      const end = (how: "ended" | "failed" | "cleaned" | "unanswered") => {
        over = true
        record.push({ _tag: how, run: attempt.number })
      }
      const stream = () => {
        if (!step.streams) return
        record.push({ _tag: "streamed", run: attempt.number })
        ctx.send(def(token)({ id: `${attempt.number}`, fuel: 0, key: 0 }))
      }
      stream()
      const questions = given === undefined ? [] : Array.from({ length: step.asks?.count ?? 0 }, (_, n) => n)
      const key = given && keyOfInput(given)
      const askedIn: Array<number> = []
      const ask = (n: number) => {
        askedIn.push(n)
        record.push({ _tag: "asked", run: attempt.number })
        // The same whenever it is asked again.
        const asked = def(question)({ id: `${runKey(step, { events, opener })}?${n}`, fuel: 0, key: 0 })
        const matches = step.asks!.byKey ? (event: Payload) => event.key === key : undefined
        return ctx.ask(asked, step.asks!.of.map(def), matches)
      }
      const sleep = (millis: number) => (millis === 0 ? Effect.void : Effect.sleep(millis))
      const got: Array<string> = []
      const goOn = (answers: ReadonlyArray<Payload>) => {
        got.push(...answers.map(idOf))
        record.push({ _tag: "answered", run: attempt.number, by: [...got] })
        if (got.length < questions.length) return
        ;({ fails, list } = planned(got))
        stream()
      }
      const unanswered = (error: any) => {
        if (error?._tag === "NoAnswer") end("unanswered")
        return error
      }
      const answered: Effect.Effect<void, any> = step.asks?.together
        ? Effect.map(
            Effect.all(
              // One may be answered before the next is asked.
              questions.map((n) =>
                Effect.andThen(
                  sleep(n === 0 || timing.inTurn ? 0 : nap(n)),
                  Effect.suspend(() => ask(n) as Effect.Effect<Payload, any>)
                )
              ),
              { concurrency: "unbounded" }
            ),
            (all) => goOn(askedIn.map((n) => all[n]!))
          )
        : Effect.forEach(
            questions,
            (n) =>
              Effect.map(
                Effect.suspend(() => ask(n)),
                (one: any) => goOn([one])
              ),
            {
              discard: true
            }
          )
      const asks =
        questions.length === 0
          ? Effect.void
          : Effect.tapError(answered, (error) => Effect.sync(() => unanswered(error)))
      const asksAsync = async () => {
        try {
          if (!step.asks?.together) for (const n of questions) goOn([await ask(n)])
          else if (questions.length > 0) {
            const settled = await Promise.allSettled(questions.map(ask))
            const failed = settled.find((one) => one.status === "rejected")
            if (failed !== undefined) throw failed.reason
            goOn(settled.map((one) => (one as PromiseFulfilledResult<Payload>).value))
          }
        } catch (error) {
          throw unanswered(error)
        }
      }
      const finish = () => end(fails ? "failed" : "ended")
      const returned = () => {
        attempt.emitted.push(...list)
        return list.length === 0 ? undefined : list.length === 1 ? make(list[0]!) : list.map(make)
      }
      const cleaning = sleep(cleanup).pipe(Effect.andThen(Effect.sync(() => end("cleaned"))))
      const cleaned = <A, E>(self: Effect.Effect<A, E>) =>
        Effect.onExit(self, (exit) => (Exit.hasInterrupts(exit) ? cleaning : Effect.void))

      switch (form) {
        case "value":
          finish()
          if (fails) throw boom
          return returned()
        case "send":
          for (const emission of list) ctx.send(emitting(emission))
          finish()
          if (fails) throw boom
          return undefined
        case "generator":
          return (function* () {
            try {
              for (const emission of list) yield emitting(emission)
              finish()
              if (fails) throw boom
            } finally {
              if (!over) end("cleaned")
            }
          })()
        case "effect":
          return cleaned(
            Effect.gen(function* () {
              yield* sleep(nap(0))
              yield* asks
              finish()
              if (fails) return yield* Effect.fail(boom)
              return returned()
            })
          )
        case "effectSend":
          return cleaned(
            Effect.gen(function* () {
              yield* asks
              for (const [part, emission] of list.entries()) {
                yield* sleep(nap(part))
                ctx.send(emitting(emission))
              }
              yield* sleep(nap(list.length))
              finish()
              if (fails) return yield* Effect.fail(boom)
              return undefined
            })
          )
        case "stream":
          return Stream.fromIterable(list.entries()).pipe(
            Stream.mapEffect(([part, emission]) => Effect.map(sleep(nap(part)), () => emitting(emission))),
            Stream.concat(
              Stream.fromEffectDrain(
                Effect.suspend(() => {
                  finish()
                  return fails ? Effect.fail(boom) : Effect.void
                })
              )
            ),
            Stream.onExit(() => (over ? Effect.void : cleaning))
          )
        case "promise":
          return (async () => {
            try {
              if (step.slow > 0) await world.sleep(nap(0), ctx.signal)
              if (questions.length > 0) await asksAsync()
              finish()
              if (fails) throw boom
              return returned()
            } finally {
              if (!over) end("cleaned")
            }
          })()
        case "asyncGenerator":
          return (async function* () {
            try {
              for (const [part, emission] of list.entries()) {
                if (step.slow > 0) await world.sleep(nap(part), ctx.signal)
                yield emitting(emission)
              }
              if (step.slow > 0) await world.sleep(nap(list.length), ctx.signal)
              finish()
              if (fails) throw boom
            } finally {
              if (!over) end("cleaned")
            }
          })()
        default:
          return form satisfies never
      }
    }
  }

  const steps = spec.steps.map((step, index) => [
    step.name,
    defineStep({
      ...(step.asks === undefined ? {} : { asks: step.asks.of.map(def) }),
      ...(step.streams ? { stream: def(token) } : {}),
      accepts: accepts(step.accepts),
      emits: [...step.emits, ...(step.asks === undefined ? [] : [question]), ...(step.streams ? [token] : [])].map(def),
      workers: step.workers,
      ...(step.fails > 0 && step.failure === "retry" ? { retry: { times: retries } } : {}),
      ...(step.fails > 0 && step.failure === "recover"
        ? {
            recover: (_error: unknown, input: any, ctx: any) => {
              const events = Array.isArray(input) ? input : [input]
              const given = { events, opener: step.accepts.per === undefined ? undefined : ctx.per }
              const { recovered } = plan(spec, index, given)
              const ids = events.map(idOf).join()
              // A journal may have replaced the attempt that failed.
              const known = runs.findLast(
                (other) => other.step === index && other.input.join() === ids && other.opener === given.opener?.id
              )
              if (known !== undefined) known.emitted = [...recovered]
              return recovered.map(make)
            }
          }
        : {}),
      run: bodyOf(index)
    } as any)
  ])
  return workflow({
    name: "generated",
    ...(spec.timeout === undefined ? {} : { timeout: spec.timeout }),
    start: def(spec.start),
    stop: spec.stops.map(def),
    inputs: inputs.map(def),
    outputs: [...spec.outputs, ...heard].map(def),
    steps: Object.fromEntries(steps)
  } as any)
}
