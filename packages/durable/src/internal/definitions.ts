/**
 * The workflows that a process has registered.
 */
import type * as Context from "effect/Context"
import type { AnyWorkflow } from "stepgraph"
import type { FlowKey } from "../Store.ts"
import type { Codec } from "./codec.ts"

export interface Definition {
  readonly flow: AnyWorkflow
  readonly key: FlowKey
  readonly codec: Codec
}

export interface Registered {
  readonly definition: Definition
  /** The services of its steps. */
  readonly context: Context.Context<any>
}

const nameOf = ({ flow, fingerprint, version }: FlowKey): string => JSON.stringify([flow, version, fingerprint])

export class Definitions {
  private readonly registered = new Map<string, Registered>()

  add(definition: Definition, context: Context.Context<any>): void {
    this.registered.set(nameOf(definition.key), { definition, context })
  }

  /** The one that a run was started with. */
  of(run: FlowKey): Registered | undefined {
    return this.registered.get(nameOf(run))
  }

  get keys(): ReadonlyArray<FlowKey> {
    return [...this.registered.values()].map(({ definition }) => definition.key)
  }

  /** One with the name and version of a run, but another graph. */
  changed(run: FlowKey): Definition | undefined {
    if (this.of(run) !== undefined) return undefined
    return [...this.registered.values()].find(
      ({ definition: { key } }) => key.flow === run.flow && key.version === run.version
    )?.definition
  }
}
