// The driver of durable runs, with a synchronous journal in memory: never interrupted, or taken up again by a fresh one from a
// part of its journal.
import {
  type Batch,
  type Codec,
  codecOf,
  Driver,
  type Handle,
  type Message,
  type StoreService
} from "@stepgraph/durable/internal"
import { type Cause, Clock, Context, Effect, Exit, References, Scheduler } from "effect"
import { type AnyWorkflow, Observer, type TraceEntry } from "stepgraph"
import type { HostedRun, RunHost, Settlement } from "stepgraph/host"
import type { Engine } from "./engine.ts"
import { counted } from "./memory.ts"
import { inOnePiece, recorderOf } from "./recorder.ts"
import { oneByHand } from "./replay.ts"
import { share } from "./search.ts"
import { pick, type Spec, waitsForPromises } from "./spec.ts"
import { buildWorkflow, type Entry, makeWorld, outcomeOf, type Ran, sendAll, type Timing } from "./world.ts"

/** Each entry is a batch of its own, as JSON. */
const journalFrom = (journal: Array<Batch>): StoreService => {
  const append: StoreService["append"] = (_run, epoch, from, entries) =>
    Effect.clockWith((clock) =>
      Effect.sync(() => {
        if (from !== journal.length) return false
        const at = clock.currentTimeMillisUnsafe()
        for (const entry of entries) {
          journal.push({ from: journal.length, epoch, at, entries: [JSON.parse(JSON.stringify(entry))] })
        }
        return true
      })
    )
  // A driver only appends.
  return { synchronous: true, append } as StoreService
}

/** A codec that keeps what a call has failed with as it is, so that the laws know it again. */
const codecFor = (flow: AnyWorkflow, causes: Array<Cause.Cause<unknown>>): Codec => {
  const codec = codecOf(flow, [])
  return {
    ...codec,
    settlement: (settlement) => {
      const { exit } = settlement
      if (Exit.isSuccess(exit)) return codec.settlement(settlement)
      const stored = codec.settlement({ ...settlement, events: [], exit: Exit.void })
      return { ...stored, x: [causes.push(exit.cause) - 1] as never }
    },
    settlementFrom: ({ x, ...stored }) => {
      const settlement = codec.settlementFrom(stored)
      if (x === undefined) return settlement
      return { ...settlement, exit: Exit.failCause(causes[x[0] as unknown as number]!) }
    }
  }
}

const isSettled = ({ entries }: Batch): boolean => "i" in (entries[0] as object)

interface Incarnation {
  readonly journal: ReadonlyArray<Batch>
  readonly ran: Ran
}

/** Performs a run from the beginning of its journal, which may be empty, until nothing moves any more. */
const incarnation = async (
  spec: Spec,
  timing: Timing,
  history: ReadonlyArray<Batch>,
  causes: Array<Cause.Cause<unknown>>
): Promise<Incarnation> => {
  const world = makeWorld(timing, history.at(-1)?.at)
  const record: Array<Entry> = []
  let told = 0
  /** What has happened before has its own time, which passes also where it has nothing to say. */
  const passes = () => {
    const at = driver.past
    if (at === undefined || at <= told) return
    told = at
    record.push({ _tag: "tick", now: at })
  }
  const say = (entry: Entry) => {
    passes()
    record.push(entry)
  }
  const flow = buildWorkflow(spec, timing, world)
  const codec = codecFor(flow, causes)
  const journal = [...history]
  const recorder = recorderOf(spec, say)
  const observe = (entry: TraceEntry) => {
    passes()
    recorder.observe(entry)
    if (timing.observed) say({ _tag: "traced", entry })
  }
  const context = Context.make(Clock.Clock, world.clock).pipe(
    Context.add(Scheduler.Scheduler, world.scheduler),
    Context.add(Observer, observe),
    // The warning about a gather that waits for open inputs is expected here.
    Context.add(References.MinimumLogLevel, "None")
  )
  let outcome: Ran["outcome"] | undefined
  const ends = (what: Ran["outcome"]) => {
    outcome ??= what
    say({ _tag: "result" })
  }
  const broken = (why: string) => ends({ _tag: "Broken", why })
  const driver = new Driver(
    {
      id: "run",
      epoch: 1,
      flow,
      codec,
      store: journalFrom(journal),
      start: { _tag: spec.start, id: "start", fuel: spec.fuel, key: 0 },
      createdAt: 0,
      context: context as never,
      history
    },
    {
      ended: (exit: Exit.Exit<any, any>) => ends(outcomeOf(exit)),
      rests: () => {},
      stored: () => {},
      lost: () => broken("its journal was lost"),
      diverged: (error) => broken(error.message)
    }
  )
  let entered = history.filter(isSettled).length
  // Live, a call begins only when all that led to it is stored.
  const begins = () => {
    if (driver.live && journal.filter(isSettled).length < entered)
      broken("a call began before what led to it was stored")
  }
  const hosts = driver.hosts.bind(driver)
  const takes = driver.takes.bind(driver)
  Object.assign(driver, {
    hosts: (hosted: HostedRun): RunHost => {
      const { perform, settle, ...host } = hosts(hosted)
      return {
        ...host,
        perform: (call, body) => {
          recorder.performs(call)
          const run = () => {
            begins()
            return body.run()
          }
          return perform!(call, { ...body, run })
        },
        settle: (call, settlement, settling) => {
          const enter = (entering: Settlement) => {
            recorder.settled(call, entering)
            if (driver.live) entered++
            settling.enter(entering)
          }
          settle!(call, settlement, { ...settling, enter })
        }
      }
    },
    takes: (handle: Handle) =>
      takes({
        ...handle,
        send: (event) => {
          say({ _tag: "input", tag: event._tag, id: event.id })
          return handle.send(event)
        },
        closeInputs: Effect.suspend(() => {
          say({ _tag: "closed" })
          return handle.closeInputs
        })
      })
  })
  driver.begin()
  if (spec.inputs !== undefined) {
    // What the journal has is sent, and the sender goes on.
    let number = 0
    const taken = driver.seen
    const message = (message: Message) =>
      Effect.sync(() => {
        if (++number > taken) driver.receive([{ number, key: `${number}`, message }])
      })
    const live = {
      send: (event: any) => message({ _tag: "event", event }),
      closeInputs: message({ _tag: "close" }),
      result: Effect.void
    }
    Effect.runForkWith(context as never)(sendAll(spec, spec.inputs, timing, [], live))
  }
  const ended = await world.exhaust(waitsForPromises(spec), (now) => record.push({ _tag: "tick", now }))
  outcome ??= { _tag: ended ? "Hung" : "Endless" }
  return { journal, ran: { record, runs: recorder.runs, outcome } }
}

const shows = (spec: Spec) => inOnePiece(oneByHand(spec))

const refuses = ({ steps }: Spec) => {
  if (steps.some(({ asks }) => asks !== undefined)) return "what a durable call asks enters later than it is asked"
  if (steps.some(({ streams }) => streams)) return "what a durable call streams enters later than it is sent"
  return undefined
}

export const durable: Engine = {
  name: "durable",
  run: (spec, timing) => counted(async () => (await incarnation(oneByHand(spec), timing, [], [])).ran),
  shows,
  refuses,
  oneIn: share < 1 ? 8 : 3
}

export const crashed: Engine = {
  name: "crashed",
  run: (spec, timing) =>
    counted(async () => {
      const same = oneByHand(spec)
      const causes: Array<Cause.Cause<unknown>> = []
      let last = await incarnation(same, timing, [], causes)
      const crashes = 1 + pick(2, timing.seed, spec.seed, "crashes")
      for (let n = 0, cut = 0; n < crashes; n++) {
        cut += pick(last.journal.length - cut + 1, timing.seed, spec.seed, "cut", n)
        // Other naps, and another order of tasks, than before.
        last = await incarnation(
          same,
          { ...timing, seed: timing.seed + 1000 * (n + 1) },
          last.journal.slice(0, cut),
          causes
        )
      }
      return last.ran
    }),
  shows,
  refuses,
  oneIn: share < 1 ? 8 : 3
}
