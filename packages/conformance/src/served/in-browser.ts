// The clients in a page of a browser. The tests stay in their process, with the workflows that they serve: only values cross over.
import { join } from "node:path"
import { Cause, Effect, Exit, Stream } from "effect"
import { build } from "esbuild"
import type { Page } from "playwright-core"
import type { Clients, ConnectOptions } from "./doors.ts"
import type { Answer, Argument, Call, Said } from "./in-page.ts"

/** The page's script. */
export const bundled = async (): Promise<string> => {
  const { outputFiles } = await build({
    entryPoints: [join(import.meta.dirname, "in-page.ts")],
    bundle: true,
    format: "iife",
    platform: "browser",
    target: "es2022",
    write: false
  })
  return outputFiles[0]!.text
}

const errorOf = (said: Said): unknown => {
  if ("value" in said) return said.value
  const { fields, message, name } = said
  return Object.assign(Object.defineProperty(new Error(message), "name", { value: name, configurable: true }), fields)
}

const exitOf = (answer: Answer): Exit.Exit<any, any> =>
  "value" in answer
    ? Exit.succeed(answer.value)
    : Exit.failCause(
        Cause.fromReasons(
          answer.reasons.map(({ error, kind }) =>
            kind === "Interrupt"
              ? Cause.makeInterruptReason()
              : kind === "Die"
                ? Cause.makeDieReason(errorOf(error!))
                : Cause.makeFailReason(errorOf(error!))
          )
        )
      )

const unwrapped = (answer: Answer): any => {
  if ("value" in answer) return answer.value
  throw errorOf(answer.reasons[0]!.error!)
}

const argumentOf = (value: unknown): Argument => {
  try {
    return { json: JSON.stringify(value) }
  } catch {
    return { unreadable: true }
  }
}

export const inBrowserOf = (page: Page): Clients => {
  let calls = 0
  const call = (call: Call): Promise<Answer> => page.evaluate((call) => globalThis.driven.call(call), call)

  const promise = (to: ConnectOptions): any => {
    const ask = async (run: string, member: string, ...args: ReadonlyArray<unknown>) =>
      unwrapped(await call({ kind: "promise", to, run, member, args: args.map(argumentOf), id: ++calls }))
    const handleOf = (id: string) => {
      let result: Promise<unknown> | undefined
      return {
        id,
        get result() {
          if (result === undefined) {
            result = ask(id, "result")
            result.catch(() => {})
          }
          return result
        },
        get events() {
          return {
            [Symbol.asyncIterator]: () => {
              const iterator = ++calls
              const step = async (kind: string, value?: unknown) =>
                unwrapped(
                  await call({
                    kind: "promise",
                    to,
                    run: id,
                    member: "events",
                    args: [kind, value].map(argumentOf),
                    id: iterator
                  })
                )
              return {
                next: () => step("next"),
                return: (value: unknown) => step("return", value),
                throw: (error: unknown) => step("throw", error)
              }
            }
          }
        },
        send: (event: unknown) => ask(id, "send", event),
        closeInputs: () => ask(id, "closeInputs"),
        interrupt: () => ask(id, "interrupt"),
        status: () => ask(id, "status"),
        [Symbol.asyncDispose]: () => ask(id, "interrupt")
      }
    }
    return { start: async (input: unknown) => handleOf(await ask("", "start", input)) }
  }

  const effect = (to: ConnectOptions): any => {
    const ask = (run: string, member: string, ...args: ReadonlyArray<unknown>): Effect.Effect<any, any> =>
      Effect.suspend(() => {
        const id = ++calls
        return Effect.promise(() => call({ kind: "effect", to, run, member, args: args.map(argumentOf), id })).pipe(
          Effect.onInterrupt(() => Effect.promise(() => page.evaluate((id) => globalThis.driven.abort(id), id))),
          Effect.flatMap(exitOf)
        )
      })
    const events = (run: string) =>
      Stream.unwrap(
        Effect.map(
          Effect.acquireRelease(
            Effect.sync(() => ++calls),
            (id) =>
              Effect.promise(() =>
                call({ kind: "effect", to, run, member: "events", args: [argumentOf("return")], id })
              )
          ),
          (id) => {
            const next = Effect.promise(() =>
              call({ kind: "effect", to, run, member: "events", args: [argumentOf("next")], id })
            )
            return Stream.fromPull(
              Effect.succeed(
                Effect.flatMap(next, (answer) =>
                  Effect.flatMap(exitOf((unwrapped(answer) as { readonly value: Answer }).value), (event) =>
                    event === undefined ? Cause.done() : Effect.succeed([event] as const)
                  )
                )
              )
            )
          }
        )
      )
    const handleOf = (id: string) => ({
      id,
      send: (event: unknown) => ask(id, "send", event),
      closeInputs: ask(id, "closeInputs"),
      events: events(id),
      result: ask(id, "result"),
      await: Effect.exit(ask(id, "await")),
      interrupt: ask(id, "interrupt"),
      status: ask(id, "status")
    })
    return {
      // A scope does not cross over: what the page's own `launch` does with one is tested beside it.
      launch: (input: unknown) =>
        Effect.flatMap(Effect.scope, ({ state }) => {
          if (state._tag === "Closed") return Effect.interrupt
          const starting = Effect.map(ask("", "start", input), handleOf)
          return Effect.acquireRelease(starting, ({ interrupt }) => Effect.ignore(interrupt))
        })
    }
  }
  return { promise, effect }
}
