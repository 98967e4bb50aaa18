/**
 * Controls the calls of steps: replaces them with faults, and decides when their results come.
 */
import * as Effect from "effect/Effect"
import { isPromiseLike } from "effect/Predicate"
import { Observer } from "stepgraph"
import type { Body, Call, RunHost, Sleep } from "stepgraph/host"
import type { Sleeper } from "./clock.ts"
import { owned } from "./fake-timers.ts"
import { type CallFault, faultTexts, instead } from "./faults.ts"
import type { Modes } from "./modes.ts"
import type { Names } from "./names.ts"
import type { Outside } from "./outside.ts"
import { show } from "./show.ts"
import type { Ways } from "./ways.ts"

/** The trace of this run does not include nested runs. */
const unobserved = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.provideService(effect, Observer, undefined)

/** What a run sleeps for as a limit, not as work. */
const limits: { readonly [Why in Sleep["why"]]?: Sleeper["limit"] } = { run: "run", attempt: "step", grace: "grace" }

export class Calls {
  /** Number of steps made to hang. */
  hanging = 0
  private readonly modes: Modes
  private readonly names: Names
  private readonly outside: Outside
  private readonly ways: Ways
  private readonly turn: () => number

  /** `turn` is the current turn of the run: a result in the turn of its call is immediate. */
  constructor(modes: Modes, names: Names, outside: Outside, ways: Ways, turn: () => number) {
    this.modes = modes
    this.names = names
    this.outside = outside
    this.ways = ways
    this.turn = turn
  }

  /** The host of a run; `parent` is the invocation of another run that started it. */
  hostOf(parent: string | undefined): Pick<RunHost, "perform" | "waits" | "sleep"> {
    // A run inside a step is not in the trace, and neither are its invocations.
    const traced = ({ id }: Call) => (parent === undefined ? id : undefined)
    return {
      perform: (call, body) => {
        if (call.recovers) return body.run()
        this.names.add(call, parent)
        return this.perform(call, body, traced(call))
      },
      waits: (call) => this.waits(call, traced(call)),
      sleep: ({ why, id, millis }, fire) => {
        const limit = limits[why]
        if (limit === undefined) return undefined
        const invocation = why === "run" ? parent : id.slice(0, id.lastIndexOf("/"))
        return this.ways.clock.add(millis, { invocation, limit }, fire)
      }
    }
  }

  private perform(call: Call, body: Body, invocation: string | undefined): unknown {
    const fault = this.fault(call)
    if (fault !== undefined) return unobserved(instead(fault, call.step, body))
    const value = this.called(body, invocation)
    if (Effect.isEffect(value)) return this.slow(unobserved(value as Effect.Effect<unknown, unknown>), invocation)
    if (this.modes.results === "at once" || isPromiseLike(value)) return value
    return { then: (fulfilled: (value: unknown) => void) => fulfilled(value) }
  }

  private waits({ step }: Call, invocation: string | undefined): (enter: () => void) => void {
    const settled = this.outside.await(step)
    return (enter) => {
      settled()
      this.ways.arrive(invocation, enter)
    }
  }

  private fault({ step, input }: Call): CallFault | undefined {
    const { max, steps } = this.modes.faults
    const kinds = this.modes.faults.kinds.filter((kind) => kind !== "timeout")
    if (this.ways.faults >= max || (steps !== undefined && !steps.includes(step))) return undefined
    const option = this.ways.choose(
      kinds.length + 1,
      "fault",
      () => ["", ...kinds],
      (option) => `${step}(${show(input)}) ${faultTexts[kinds[option - 1]!]}`
    )
    if (option === 0) return undefined
    this.ways.faults++
    const fault = kinds[option - 1]!
    if (fault === "hang") this.hanging++
    return fault
  }

  private called({ run }: Body, invocation: string | undefined): unknown {
    if (this.modes.results === "at once") return owned(invocation, run)
    try {
      return owned(invocation, run)
    } catch (error) {
      return Effect.die(error)
    }
  }

  /** An effect's immediate result comes when it is chosen; a later result comes at once. */
  private slow(
    effect: Effect.Effect<unknown, unknown>,
    invocation: string | undefined
  ): Effect.Effect<unknown, unknown> {
    if (this.modes.results === "at once") return effect
    return Effect.suspend(() => {
      const began = this.turn()
      const come = <A, E>(given: Effect.Effect<A, E>): Effect.Effect<A, E> => {
        if (this.turn() !== began) return given
        return Effect.callback((resume) => this.ways.arrive(invocation, () => resume(given)))
      }
      return Effect.matchCauseEffect(effect, {
        onSuccess: (value) => come(Effect.succeed(value)),
        onFailure: (cause) => come(Effect.failCause(cause))
      })
    })
  }
}
