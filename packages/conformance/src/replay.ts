// A run whose activations a journal controls, only through `stepgraph/host` and the handle of `launch`. The journal is that of
// `@stepgraph/testing`: it records the activations in the order in which it lets them enter, and feeds them, or only the first
// of them, to other runs.
import { Effect, type Exit, References } from "effect"
import * as Clock from "effect/Clock"
import { launch, Observer, type TraceEntry } from "stepgraph"
import { type Call, Host, type RunHost, type Settlement } from "stepgraph/host"
import { type Activation, keyOf, type Next } from "../../testing/src/internal/activation.ts"
import { Journal } from "../../testing/src/internal/journal.ts"
import { inOnePiece, recorderOf } from "./recorder.ts"
import { pick, type Spec, sent } from "./spec.ts"
import { buildWorkflow, type Entry, type Live, makeWorld, outcomeOf, type Ran, sendAll, type Timing } from "./world.ts"

export type { Activation } from "../../testing/src/internal/activation.ts"

export interface Journaled {
  readonly journal: ReadonlyArray<Activation>
  readonly trace: ReadonlyArray<TraceEntry>
  /** The record for the model: a call ends when the journal lets it enter. */
  readonly ran: Ran
  /** The calls whose function was called. */
  readonly called: ReadonlyArray<string>
  /** Number of times that time passed. */
  readonly ticks: number
  /** The first difference between the journal and the run. */
  readonly diverged: string | undefined
}

const closed = "inputs closed"
const interrupted = "interrupted"

/** The spec for the model: a journal lets a call enter as a whole, and a deadline pass at any time. */
export const asJournaled = (spec: Spec): Spec => ({
  ...spec,
  steps: inOnePiece(spec).steps.map((step) => {
    const { within, ...accepts } = step.accepts
    return { ...step, accepts: within === undefined ? accepts : { ...accepts, within: 0 } }
  })
})

/**
 * The spec without calls of `ctx.collect` that overlap. Under a host such a call only looks, and keeps its events when it
 * enters; if another call has taken them by then, it is made again, with what it has asked. The model collects once, when it
 * starts, so the two agree only while one call follows another: with one worker, which a call that asks would give up.
 */
export const oneByHand = (spec: Spec): Spec => ({
  ...spec,
  steps: spec.steps.map((step) => {
    const { accepts, asks } = step
    if (accepts.kind !== "hand") return step
    if (asks === undefined) return { ...step, workers: 1 }
    return { ...step, accepts: { ...accepts, kind: "each", of: [...new Set(accepts.of)] } }
  })
})

/** Feeds `given` to a run and then continues it, unless `given` is a `whole` run. */
export const journaled = async (
  spec: Spec,
  timing: Timing,
  given: ReadonlyArray<Activation> = [],
  whole = false
): Promise<Journaled> => {
  const world = makeWorld(timing)
  const flow = buildWorkflow(spec, timing, world)
  const trace: Array<TraceEntry> = []
  const record: Array<Entry> = []
  const called: Array<string> = []
  let diverged: string | undefined
  let ticks = 0
  let over = false
  let interrupting = false
  let live: (Live & { readonly interrupt: Effect.Effect<void> }) | undefined
  const say = (entry: Entry) => {
    if (!over) record.push(entry)
  }

  const recorder = recorderOf(spec, say)
  const observe = (entry: TraceEntry) => {
    trace.push(entry)
    recorder.observe(entry)
  }

  // ---------------------------------------------------------------- what may happen next

  const journal: Journal = new Journal(given, {
    outside: (key) => (live === undefined ? undefined : outside(key)),
    // The interruption comes from a fiber, which may have to wait.
    holds: () => interrupting && journal.hosted!.status().state === "running"
  })

  /** The activations that go through the handle. */
  const outside = (key: string): Next | undefined => {
    const does = (entry: Entry | undefined, effect: Effect.Effect<void, unknown>): Next => ({
      key,
      enter: () => {
        if (entry !== undefined) say(entry)
        else interrupting = over = true
        Effect.runFork(Effect.ignore(effect), { scheduler: world.scheduler })
        return true
      }
    })
    // The end of the inputs comes after those that wait for a call to say whether they answer it.
    if (key === closed) return { ...does({ _tag: "closed" }, live!.closeInputs), message: { tag: undefined } }
    if (key === interrupted) return does(undefined, live!.interrupt)
    if (!key.startsWith("input ")) return undefined
    const { tag, ...payload } = sent(spec, Number(key.slice("input ".length)))
    const next = does({ _tag: "input", tag, id: payload.id }, live!.send({ _tag: tag, ...payload }))
    return { ...next, message: { tag } }
  }
  // What is fed comes from the journal alone.
  const fed = new Set(given.map(({ key }) => key))
  const happens = (key: string) =>
    Effect.sync(() => {
      if (!fed.has(key)) journal.offer(outside(key)!)
    })

  // ---------------------------------------------------------------- the host

  const entered = new Set<string>()
  const settled = (call: Call, settlement: Settlement) => {
    entered.add(keyOf(call))
    recorder.settled(call, settlement)
  }
  const host: RunHost = {
    runId: () => "run",
    perform: (call, body) => {
      const key = keyOf(call)
      if (entered.has(key)) diverged ??= `${key} is called again`
      recorder.performs(call)
      return journal.calls.perform(call, body, () => {
        called.push(key)
        return body.run()
      })
    },
    asks: (call, question, entering) => journal.calls.ask(call, question, entering),
    streams: (call, event, entering) => journal.calls.stream(call, event, entering),
    settle: (call, settlement, settling) =>
      journal.settle(call, settlement, settling, (entering) => settled(call, entering)),
    sleep: ({ why, id, millis }, fire) => {
      const fires = () => {
        if (why === "run") over = true
        fire()
      }
      return journal.timer(`${why} ${id}`, fires, (passed) => {
        const slept = Effect.provideService(Effect.sleep(millis), Clock.Clock, world.clock)
        const fiber = Effect.runFork(Effect.andThen(slept, Effect.sync(passed)), { scheduler: world.scheduler })
        return () => fiber.interruptUnsafe()
      })
    },
    idle: () => journal.pump()
  }

  // ---------------------------------------------------------------- the run

  const interrupts = !whole && timing.seed % 10 === 9
  const running = Effect.gen(function* () {
    const handle = yield* launch(flow, { id: "start", fuel: spec.fuel, key: 0 } as never)
    live = handle as any
    journal.pump()
    const sender: Live = {
      send: (event) => happens(`input ${spec.inputs!.sends.findIndex((_, n) => sent(spec, n).id === event.id)}`),
      closeInputs: happens(closed),
      result: Effect.void
    }
    if (spec.inputs !== undefined && !whole) yield* Effect.forkScoped(sendAll(spec, spec.inputs, timing, [], sender))
    if (interrupts) {
      const after = Effect.sleep(pick(50_000, timing.seed, "interrupt"))
      yield* Effect.forkScoped(Effect.andThen(after, happens(interrupted)))
    }
    return yield* handle.result
  }).pipe(Effect.scoped, Effect.provideService(References.MinimumLogLevel, "None"))
  let exit: Exit.Exit<any, any> | undefined
  const program = Effect.exit(running).pipe(
    Effect.map((result) => {
      exit = result
    }),
    Effect.provideService(Clock.Clock, world.clock),
    Effect.provideService(Host, (run) => {
      journal.hosted = run
      return host
    }),
    Effect.provideService(Observer, observe)
  )
  Effect.runFork(program as Effect.Effect<void>, { scheduler: world.scheduler })
  const ended = await world.exhaust(true, () => ticks++)
  if (journal.missing !== undefined) diverged ??= `the run ended, or waits, before ${journal.missing.key}`
  const outcome = exit === undefined ? ({ _tag: ended ? "Hung" : "Endless" } as const) : outcomeOf(exit)
  return { journal: journal.entries, trace, ran: { record, runs: [], outcome }, called, ticks, diverged }
}
