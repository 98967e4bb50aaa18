/**
 * Names the owner of something that could go on, as text and as a key.
 */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import type { Fiber } from "effect/Fiber"
import { CurrentInvocation } from "stepgraph"
import type { Call } from "stepgraph/host"
import type { Sleeper } from "./clock.ts"
import { show } from "./show.ts"

/** Identifies the owner. */
export interface Named {
  readonly fiber?: Fiber<unknown, unknown> | undefined
  readonly invocation?: string | undefined
}

/** A sleeper also has its duration. */
type Way = Named | (Named & Pick<Sleeper, "millis" | "limit">)

export const invocationOf = (fiber: Fiber<any, any> | undefined): string | undefined =>
  fiber === undefined ? undefined : Context.get(fiber.context, CurrentInvocation)?.invocation

/** A deadline sleeps half a millisecond less, which distinguishes it from an ordinary sleep. */
const millisText = ({ millis }: { readonly millis: number }): string =>
  millis < 1 ? "less than 1ms" : Duration.format(Duration.millis(Math.round(millis)))

export class Names {
  private readonly calls = new Map<string, Call>()
  /** The invocations that runs were started in, by the ids of these runs. */
  private readonly parents = new Map<string, string>()

  /** A run inside a step is not in the trace: what goes on there is its step's. */
  inside(parent: string, run: string): void {
    this.parents.set(run, this.calls.get(parent)?.id ?? parent)
  }

  /** `parent`: the invocation that started the run, if any. */
  add(call: Call, parent: string | undefined): void {
    const known = parent === undefined ? call : this.calls.get(parent)
    if (known !== undefined) this.calls.set(call.id, known)
  }

  invocationOf({ fiber, invocation }: Named): string | undefined {
    if (invocation !== undefined || fiber === undefined) return invocation
    const current = Context.get(fiber.context, CurrentInvocation)
    return current === null ? undefined : (this.parents.get(current.run) ?? current.invocation)
  }

  private callOf(named: Named): Call | undefined {
    const id = this.invocationOf(named)
    return id === undefined ? undefined : this.calls.get(id)
  }

  stepOf(named: Named): string | undefined {
    return this.callOf(named)?.step
  }

  nameOf(named: Named): string {
    const call = this.callOf(named)
    return call === undefined ? "the run itself" : `${call.step}(${show(call.input)})`
  }

  /** The same in every run. */
  keyOf(named: Named): string {
    return this.callOf(named)?.id ?? "run"
  }

  /** Describes a time limit that is reached. */
  reaches(limit: Named & Pick<Sleeper, "limit" | "millis">): string {
    const name = this.nameOf(limit)
    const whose = limit.limit !== "run" || this.callOf(limit) === undefined ? name : `the run inside ${name}`
    return `${whose} reaches its ${limit.limit === "grace" ? "grace" : "timeout"} of ${millisText(limit)}`
  }

  /** Describes a way that differs from production's. */
  overtakes(way: Way, usual: Way): string {
    const [who, whom] = [this.nameOf(way), this.nameOf(usual)]
    if ("millis" in way && way.limit !== undefined) return `${this.reaches(way)} before ${whom} goes on`
    if (!("millis" in way)) return `${who} goes on before ${whom}`
    if (!("millis" in usual)) return `${who} wakes from a sleep of ${millisText(way)} before ${whom} goes on`
    const other = way.millis === usual.millis ? "does" : `wakes from one of ${millisText(usual)}`
    if (who !== whom) return `${who} wakes from a sleep of ${millisText(way)} before ${whom} ${other}`
    return `${who} wakes from its sleep of ${millisText(way)} before it wakes from its sleep of ${millisText(usual)}`
  }
}
