// `stepgraph` as the core's own tests import it in durable mode: the host of every run is a durable driver with a synchronous
// journal in memory, and what comes from outside (events, their end, an interruption) goes through that journal.
import { type Codec, Driver, type Handle, type Message, type StoreService } from "@stepgraph/durable/internal"
import { Context, Deferred, Effect, Exit, Fiber, Scope } from "effect"
import * as core from "stepgraph"
import { Host, type HostedRun, type RunHost } from "stepgraph/host"

// Nothing is known here of a workflow's types.
const doors = core as unknown as {
  readonly run: (...given: ReadonlyArray<unknown>) => Effect.Effect<unknown, unknown>
  readonly launch: (...given: ReadonlyArray<unknown>) => Effect.Effect<AnyRun, unknown, Scope.Scope>
  readonly runPromise: (...given: ReadonlyArray<unknown>) => Promise<unknown>
  readonly launchPromise: (...given: ReadonlyArray<unknown>) => Promise<AnyHandle>
}
type AnyRun = core.Run<unknown, unknown, unknown, unknown>
type AnyHandle = core.RunHandle<unknown, unknown, unknown>

/** Keeps everything as it is: the driver is under test, and these tests emit what no store could keep. */
const identity = {
  fingerprint: "",
  event: (event: unknown) => event,
  eventFrom: (event: unknown) => event,
  settlement: (settlement: unknown) => ({ settlement }),
  settlementFrom: ({ settlement }: { readonly settlement: unknown }) => settlement,
  cause: (cause: unknown) => cause,
  causeFrom: (cause: unknown) => cause
} as unknown as Codec

const storing = Effect.succeed(true)
const store = { synchronous: true, append: () => storing } as unknown as StoreService

let runs = 0

/** What a door knows of the run that it has started. */
class Hosted {
  driver: Driver | undefined
  ended = () => {}
  private begun = false
  hosted: HostedRun | undefined
  /** What messages do when they enter. */
  readonly does = {
    send: (message: Effect.Effect<void>) => message,
    closeInputs: Effect.void,
    interrupt: Effect.void,
    // The core knows when it has ended.
    await: Effect.never
  }

  host(hosted: HostedRun): RunHost {
    const driver = new Driver(
      {
        id: `run-${++runs}`,
        epoch: 1,
        flow: { name: hosted.workflow, outputs: [], steps: {} } as never,
        codec: identity,
        store,
        start: null,
        createdAt: 0,
        // The run is being made by this fiber.
        context: Fiber.getCurrent()!.context as Context.Context<never>,
        history: []
      },
      {
        ended: () => {},
        rests: () => {},
        stored: () => {},
        lost: () => {
          throw new Error("the journal of a run was lost")
        },
        diverged: (error) => {
          throw error
        }
      }
    )
    this.driver = driver
    this.hosted = hosted
    const host = driver.hosts(hosted)
    const { idle } = host
    const begun = () => {
      Object.assign(host, { idle })
      this.begun = true
      driver.takes(this.does as unknown as Handle)
    }
    return Object.assign(host, { idle: begun })
  }

  /** Lets something from outside enter through the journal; at once where the run has not begun, or is over. */
  private message(message: Message, effect: Effect.Effect<unknown>): void {
    const { driver, hosted } = this
    if (driver === undefined || !this.begun || hosted!.status().state !== "running") Effect.runFork(effect)
    else driver.receive([{ number: driver.seen + 1, key: "", message }])
  }

  send<A, E>(effect: Effect.Effect<A, E>): Effect.Effect<A, E> {
    return Effect.callback((resume) => {
      const sent = Effect.map(Effect.exit(effect), (exit) => resume(exit))
      this.message({ _tag: "event", event: sent as never }, sent)
    })
  }

  close(effect: Effect.Effect<void>): Effect.Effect<void> {
    return Effect.sync(() => {
      this.does.closeInputs = effect
      this.message({ _tag: "close" }, effect)
    })
  }

  interrupt(effect: Effect.Effect<void>): Effect.Effect<void> {
    return Effect.suspend(() => {
      const done = Deferred.makeUnsafe<void>()
      const interrupting = Effect.andThen(effect, Deferred.succeed(done, undefined))
      this.does.interrupt = Effect.asVoid(interrupting)
      this.message({ _tag: "interrupt" }, interrupting)
      return Deferred.await(done)
    })
  }
}

/** Of a run that no door below has started: a `stream`, a nested workflow, or one started by a promise. */
let awaited: Hosted | undefined
export const hostOfAny = (hosted: HostedRun): RunHost => {
  const known = awaited
  awaited = undefined
  return (known ?? new Hosted()).host(hosted)
}

const starting = <A>(of: Hosted, start: () => A): A => {
  awaited = of
  try {
    return start()
  } finally {
    awaited = undefined
  }
}

/** Whether a test has a host of its own. */
const isHosted = Effect.map(Effect.context<never>(), (context) => Context.get(context, Host) !== hostOfAny)

const withHost = <A, E, R>(of: Hosted, effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> => {
  let first = true
  const host = (hosted: HostedRun) => {
    if (!first) return hostOfAny(hosted)
    first = false
    return of.host(hosted)
  }
  return Effect.provideService(effect, Host, host)
}

export const run = (...given: ReadonlyArray<unknown>) =>
  Effect.flatMap(isHosted, (hosted) => {
    if (hosted) return doors.run(...given)
    const of = new Hosted()
    return Effect.uninterruptibleMask((restore) =>
      Effect.flatMap(
        Effect.forkChild(Effect.interruptible(withHost(of, doors.run(...given))), { startImmediately: true }),
        (fiber) => restore(Fiber.join(fiber)).pipe(Effect.onInterrupt(() => of.interrupt(Fiber.interrupt(fiber))))
      )
    )
  })

export const launch = (...given: ReadonlyArray<unknown>) =>
  Effect.flatMap(isHosted, (hosted) => {
    if (hosted) return doors.launch(...given)
    const of = new Hosted()
    const inner = Scope.makeUnsafe()
    const closes = Effect.addFinalizer(() => of.interrupt(Scope.close(inner, Exit.void)))
    return Effect.andThen(
      closes,
      Effect.map(Scope.provide(withHost(of, doors.launch(...given)), inner), (live) => ({
        ...live,
        send: (event: unknown) => of.send(live.send(event)),
        closeInputs: of.close(live.closeInputs),
        interrupt: of.interrupt(live.interrupt)
      }))
    )
  })

/** The user's signal interrupts through the journal, until the run has ended. */
const withSignal = (of: Hosted, options: any): any => {
  const signal: AbortSignal | undefined = options?.signal
  if (!(signal instanceof AbortSignal) || signal.aborted) return options
  const own = new AbortController()
  const abort = () => void Effect.runFork(of.interrupt(Effect.sync(() => own.abort(signal.reason))))
  signal.addEventListener("abort", abort, { once: true })
  of.ended = () => signal.removeEventListener("abort", abort)
  return { ...options, signal: own.signal }
}

const withOptions = (of: Hosted, [flow, input, options, ...more]: ReadonlyArray<unknown>) =>
  options === undefined ? [flow, input] : [flow, input, withSignal(of, options), ...more]

export const runPromise = async (...given: ReadonlyArray<unknown>) => {
  const of = new Hosted()
  try {
    return await starting(of, () => doors.runPromise(...withOptions(of, given)))
  } finally {
    of.ended()
  }
}

export const launchPromise = async (...given: ReadonlyArray<unknown>) => {
  const of = new Hosted()
  const live = await starting(of, () => doors.launchPromise(...withOptions(of, given)))
  const interrupt = () => Effect.runPromise(of.interrupt(Effect.promise(() => live.interrupt())))
  return {
    id: live.id,
    send: (event: unknown) =>
      Effect.runPromise(of.send(Effect.tryPromise({ try: () => live.send(event), catch: (error) => error }))),
    closeInputs: () => Effect.runPromise(of.close(Effect.promise(() => live.closeInputs()))),
    get events() {
      return live.events
    },
    get result() {
      return live.result
    },
    interrupt,
    status: live.status,
    [Symbol.asyncDispose]: interrupt
  }
}
