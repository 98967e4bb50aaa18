// A run whose activations a journal controls, only through `stepgraph/host` and the handle of `launch`. The journal records
// the activations in the order in which it lets them enter, and feeds them, or only the first of them, to other runs.
import { Effect, Exit, References } from "effect"
import * as Clock from "effect/Clock"
import { launch, Observer, type TraceEntry } from "stepgraph"
import { type Call, Host, type HostedRun, type RunHost, type Settlement } from "stepgraph/host"
import { idOf, type Payload, pick, type Spec, sent } from "./spec.ts"
import { buildWorkflow, type Entry, type Live, makeWorld, outcomeOf, type Ran, sendAll, type Timing } from "./world.ts"

/** An activation of a run. Its key is the same in every run. */
export interface Activation {
  readonly key: string
  readonly settlement?: Settlement
}

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

const keyOf = ({ id, attempt, recovers }: Call): string => `settled ${id} ${attempt}${recovers ? " recovers" : ""}`
const closed = "inputs closed"
const interrupted = "interrupted"

/** The spec for the model: a journal lets a call enter as a whole, and a deadline pass at any time. */
export const asJournaled = (spec: Spec): Spec => ({
  ...spec,
  steps: spec.steps.map((step) => {
    const { within, ...accepts } = step.accepts
    return { ...step, form: "effect", accepts: within === undefined ? accepts : { ...accepts, within: 0 } }
  })
})

/** With several workers, a call of `ctx.collect` may be repeated, but the model collects when it starts. */
export const oneByHand = (spec: Spec): Spec => ({
  ...spec,
  steps: spec.steps.map((step) => (step.accepts.kind === "hand" ? { ...step, workers: 1 } : step))
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
  const journal: Array<Activation> = []
  const trace: Array<TraceEntry> = []
  const record: Array<Entry> = []
  const called: Array<string> = []
  const numbers = new Map<string, number>()
  const inputs = new Map<string, Array<string>>()
  let diverged: string | undefined
  let ticks = 0
  let over = false
  let interrupting = false
  let live: (Live & { readonly interrupt: Effect.Effect<void> }) | undefined
  const say = (entry: Entry) => {
    if (!over) record.push(entry)
  }

  const stepOf = (name: string) => spec.steps.findIndex((step) => step.name === name)
  /** Calls that begin in one turn begin in the order of the trace, whatever order the functions are called in. */
  const observe = (entry: TraceEntry) => {
    trace.push(entry)
    if (entry._tag !== "InvocationStarted" || entry.attempt > 1) return
    const input: Array<string> = []
    inputs.set(entry.invocation, input)
    numbers.set(entry.invocation, numbers.size)
    say({ _tag: "started", run: numbers.size - 1, step: stepOf(entry.step), input, attempt: 1 })
  }

  // ---------------------------------------------------------------- what may happen next

  interface Next extends Activation {
    /** Returns `false` if it does not happen after all. */
    readonly enter: (settlement: Settlement | undefined) => boolean
  }
  const ahead = new Set(given.map(({ key }) => key))
  const asked: Array<Next> = []
  const queue: Array<Next> = []
  let hosted: HostedRun | undefined
  let pumping = false
  let index = 0

  const next = (): Next | undefined => {
    const activation = given[index]
    if (activation === undefined) return queue.shift()
    const { key, settlement } = activation
    const at = asked.findIndex((other) => other.key === key)
    if (at >= 0) {
      index++
      return { ...asked.splice(at, 1)[0]!, ...(settlement === undefined ? {} : { settlement: copyOf(settlement) }) }
    }
    const fromOutside = live && outside(key)
    if (fromOutside !== undefined) index++
    return fromOutside
  }
  const pump = () => {
    if (pumping) return
    pumping = true
    while (hosted?.resting() && hosted.status().state !== "ended") {
      // The interruption comes from a fiber, which may have to wait.
      if (interrupting && hosted.status().state === "running") break
      const entering = next()
      if (entering === undefined) break
      const { enter, key, settlement } = entering
      const at = journal.length
      journal.push(settlement === undefined ? { key } : { key, settlement })
      if (!enter(settlement)) journal.splice(at, 1)
    }
    pumping = false
  }
  /** Offers an activation: it enters at once, unless the journal determines when. */
  const may = (activation: Next) => {
    if (ahead.has(activation.key)) asked.push(activation)
    else queue.push(activation)
    pump()
  }

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
    if (key === closed) return does({ _tag: "closed" }, live!.closeInputs)
    if (key === interrupted) return does(undefined, live!.interrupt)
    if (!key.startsWith("input ")) return undefined
    const { tag, ...payload } = sent(spec, Number(key.slice("input ".length)))
    return does({ _tag: "input", tag, id: payload.id }, live!.send({ _tag: tag, ...payload }))
  }
  const happens = (key: string) =>
    Effect.sync(() => {
      if (ahead.has(key)) return
      queue.push(outside(key)!)
      pump()
    })

  // ---------------------------------------------------------------- the host

  const entered = new Set<string>()
  const settled = (call: Call, settlement: Settlement) => {
    entered.add(keyOf(call))
    const run = numbers.get(call.id)!
    const { failure, fails } = spec.steps.find(({ name }) => name === call.step)!
    const recovered = fails > 0 && failure === "recover"
    if (Exit.hasInterrupts(settlement.exit)) say({ _tag: "cleaned", run })
    else if (call.recovers) say({ _tag: "failed", run })
    else if (Exit.isSuccess(settlement.exit)) say({ _tag: "ended", run })
    else if (!recovered) say({ _tag: "failed", run })
  }
  const host: RunHost = {
    runId: () => "run",
    perform: (call, body) => {
      const key = keyOf(call)
      if (entered.has(key)) diverged ??= `${key} is called again`
      const { attempt, id, recovers, step } = call
      const events = (Array.isArray(call.input) ? call.input : [call.input]) as ReadonlyArray<Payload | undefined>
      if (attempt === 1) inputs.get(id)!.splice(0, Number.POSITIVE_INFINITY, ...events.map(idOf))
      else if (!recovers)
        say({ _tag: "started", run: numbers.get(id)!, step: stepOf(step), input: events.map(idOf), attempt })
      if (ahead.has(key)) return undefined
      called.push(key)
      return body.run()
    },
    settle: (call, settlement, { again, enter, stale }) =>
      may({
        key: keyOf(call),
        settlement,
        enter: (recorded) => {
          if (!ahead.has(keyOf(call)) && stale()) {
            again()
            return false
          }
          settled(call, recorded!)
          enter(recorded!)
          return true
        }
      }),
    sleep: ({ why, id, millis }, fire) => {
      const key = `${why} ${id}`
      let wanted = true
      const then: Next = {
        key,
        enter: () => {
          if (!wanted) return false
          if (why === "run") over = true
          fire()
          return true
        }
      }
      if (ahead.has(key) && given.findLastIndex((other) => other.key === key) >= index) {
        asked.push(then)
        pump()
        return () => {
          const at = asked.indexOf(then)
          if (at >= 0) asked.splice(at, 1)
        }
      }
      const slept = Effect.andThen(
        Effect.provideService(Effect.sleep(millis), Clock.Clock, world.clock),
        Effect.sync(() => {
          queue.push(then)
          pump()
        })
      )
      const fiber = Effect.runFork(slept, { scheduler: world.scheduler })
      return () => {
        wanted = false
        fiber.interruptUnsafe()
      }
    },
    idle: pump
  }

  // ---------------------------------------------------------------- the run

  const interrupts = !whole && timing.seed % 10 === 9
  const running = Effect.gen(function* () {
    const handle = yield* launch(flow, { id: "start", fuel: spec.fuel, key: 0 } as never)
    live = handle as any
    pump()
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
      hosted = run
      return host
    }),
    Effect.provideService(Observer, observe)
  )
  Effect.runFork(program as Effect.Effect<void>, { scheduler: world.scheduler })
  const ended = await world.exhaust(true, () => ticks++)
  if (index < given.length) diverged ??= `the run ended, or waits, before ${given[index]!.key}`
  const outcome = exit === undefined ? ({ _tag: ended ? "Hung" : "Endless" } as const) : outcomeOf(exit)
  return { journal, trace, ran: { record, runs: [], outcome }, called, ticks, diverged }
}

/** A copy, as from a store. */
const copyOf = (settlement: Settlement): Settlement => ({
  ...settlement,
  events: settlement.events.map((event) => ({ ...event }))
})
