/** Runs the text of a program: takes the types out, and gives it the modules that it imports. */

import * as testing from "@stepgraph/testing"
import * as viz from "@stepgraph/viz"
import * as effect from "effect"
import * as stepgraph from "stepgraph"
import * as graph from "stepgraph/graph"
import * as trace from "stepgraph/trace"
import { transform } from "sucrase"
import { provided } from "./provided.ts"

type Flow = graph.AnyWorkflow

/** What a program has shown of itself. */
export interface Program {
  readonly exports: Readonly<Record<string, unknown>>
  /** The workflow that it exports, else the last one that it ran or made. */
  readonly flow: Flow | undefined
  readonly isExported: boolean
  /** Whether it has started a run itself. */
  readonly hasRun: boolean
  /** The input of the last run that it started. */
  readonly input: unknown
}

export interface Watch {
  /** A run begins; the result observes it. */
  readonly begun: (flow: Flow) => stepgraph.Observer
}

const sleep = (millis: number, value?: unknown) => new Promise((resolve) => setTimeout(() => resolve(value), millis))

const modules: Readonly<Record<Exclude<(typeof provided)[number], "stepgraph">, unknown>> = {
  effect,
  "stepgraph/graph": graph,
  "stepgraph/trace": trace,
  "@stepgraph/testing": testing,
  "@stepgraph/viz": viz,
  "node:timers/promises": { setTimeout: sleep, default: { setTimeout: sleep } }
}

const moduleOf = (name: string): unknown =>
  name.startsWith("effect/")
    ? (effect as Record<string, unknown>)[name.slice("effect/".length)]
    : (modules as Record<string, unknown>)[name]

const AsyncFunction = (async () => {}).constructor as new (
  ...args: ReadonlyArray<string>
) => (...args: ReadonlyArray<unknown>) => Promise<void>

export const evaluate = async (source: string, watch: Watch): Promise<Program> => {
  const { code } = transform(source, {
    transforms: ["typescript", "imports"],
    filePath: "playground.ts",
    disableESTransforms: true,
    preserveDynamicImport: true
  })
  const exports: Record<string, unknown> = {}
  const made: Array<Flow> = []
  let hasRun = false
  let ran: Flow | undefined
  let lastInput: unknown

  const begin = (flow: Flow, input: unknown) => {
    hasRun = true
    ran = flow
    lastInput = input
    return watch.begun(flow)
  }
  const both = (one: stepgraph.Observer | undefined, other: stepgraph.Observer): stepgraph.Observer =>
    one === undefined
      ? other
      : (entry) => {
          one(entry)
          other(entry)
        }
  // Each run that the program starts is observed, beside the program's own observer.
  const asPromise =
    (start: (...args: ReadonlyArray<any>) => unknown) =>
    (flow: Flow, input?: unknown, options?: { readonly observe?: stepgraph.Observer }) =>
      start(flow, input, { ...options, observe: both(options?.observe, begin(flow, input)) })
  const asEffect =
    (start: (...args: ReadonlyArray<any>) => any) =>
    (flow: Flow, input?: unknown, ...rest: ReadonlyArray<unknown>) =>
      effect.Effect.flatMap(effect.Effect.service(stepgraph.Observer as any), (own) =>
        effect.Effect.provideService(
          start(flow, input, ...rest),
          stepgraph.Observer as any,
          both(own as any, begin(flow, input))
        )
      )
  const observed = {
    ...stepgraph,
    workflow: (...args: ReadonlyArray<any>) => {
      const flow = (stepgraph.workflow as any)(...args)
      made.push(flow)
      return flow
    },
    run: asEffect(stepgraph.run),
    launch: asEffect(stepgraph.launch),
    runPromise: asPromise(stepgraph.runPromise),
    launchPromise: asPromise(stepgraph.launchPromise)
  }

  const require = (name: string): unknown => {
    const module = name === "stepgraph" ? observed : moduleOf(name)
    if (module !== undefined) return module
    throw new Error(
      `'${name}' cannot be imported here: the playground has ${provided.slice(0, -1).join(", ")} and ${provided.at(-1)}`
    )
  }
  const body = code.replaceAll("import.meta", "__meta")
  await new AsyncFunction("exports", "require", "__meta", `${body}\n//# sourceURL=playground.ts`)(exports, require, {
    main: false
  })
  const exported = [exports.default, ...Object.values(exports)].find(graph.isWorkflow)
  return {
    exports,
    flow: exported ?? ran ?? made.at(-1),
    isExported: exported !== undefined,
    hasRun,
    input: exports.input ?? lastInput
  }
}
