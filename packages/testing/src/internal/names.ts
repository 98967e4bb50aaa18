/**
 * Names the owner of something that could go on, as text and as a key.
 */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import type { Fiber } from "effect/Fiber"
import { CurrentInvocation } from "stepgraph"
import type { Call } from "stepgraph/probe"
import { show } from "./show.ts"

/** Identifies the owner. */
export interface Named {
  readonly fiber?: Fiber<unknown, unknown> | undefined
  readonly invocation?: string | undefined
}

/** A sleeper also has its duration. */
type Way = Named | (Named & { readonly millis: number })

export const invocationOf = (fiber: Fiber<any, any> | undefined): string | undefined =>
  fiber === undefined ? undefined : Context.get(fiber.context, CurrentInvocation)?.invocation

/** `lastOfTheInstant` sleeps half a millisecond less, to be told apart from an ordinary sleep. */
const inWords = ({ millis }: { readonly millis: number }): string =>
  millis < 1 ? "less than 1ms" : Duration.format(Duration.millis(Math.round(millis)))

export class Names {
  private readonly calls = new Map<string, Call>()

  add(call: Call): void {
    if (call.invocation !== undefined) this.calls.set(call.invocation, call)
  }

  invocationOf({ fiber, invocation }: Named): string | undefined {
    return invocation ?? invocationOf(fiber)
  }

  private callOf(named: Named): Call | undefined {
    const id = this.invocationOf(named)
    return id === undefined ? undefined : this.calls.get(id)
  }

  nameOf(named: Named): string {
    const call = this.callOf(named)
    return call === undefined ? "the run itself" : `${call.step}(${show(call.input)})`
  }

  /** The same in every run. */
  keyOf(named: Named): string {
    return this.callOf(named)?.invocation ?? "run"
  }

  /** Describes a way that differs from production's. */
  overtakes(way: Way, usual: Way): string {
    const [who, whom] = [this.nameOf(way), this.nameOf(usual)]
    if (!("millis" in way)) return `${who} goes on before ${whom}`
    if (!("millis" in usual)) return `${who} wakes from a sleep of ${inWords(way)} before ${whom} goes on`
    const other = way.millis === usual.millis ? "does" : `wakes from one of ${inWords(usual)}`
    if (who !== whom) return `${who} wakes from a sleep of ${inWords(way)} before ${whom} ${other}`
    return `${who} wakes from its sleep of ${inWords(way)} before it wakes from its sleep of ${inWords(usual)}`
  }
}
