/**
 * The result of `ctx.ask`: an Effect that can be awaited like a promise. Each run of the Effect asks again; a promise asks
 * once.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { AnyDef, AnyEvent, Defs } from "../../../Event.ts"
import { show } from "../../../Show.ts"
import type { Asking } from "../../../Step.ts"
import type { Node } from "../../graph/graph.ts"
import type { Waiter } from "./questions.ts"

/** Asks, and returns the cleanup for when the answer is no longer awaited. */
type Ask = (waiter: Waiter) => Effect.Effect<void>

export const asking = (ask: Ask): Asking<AnyEvent> => {
  const effect = Effect.callback<AnyEvent, any>((resume) => {
    let dropped = false
    return ask({
      settle: (exit) => {
        if (!dropped) resume(exit as Exit.Exit<AnyEvent, any>)
      },
      // The end of the attempt interrupts its fiber.
      drop: () => {
        dropped = true
      }
    })
  })
  let promise: Promise<AnyEvent> | undefined
  const following: Array<Promise<unknown>> = []
  const begin = () =>
    new Promise<AnyEvent>((resolve, reject) => {
      ask({
        settle: (exit) => (Exit.isSuccess(exit) ? resolve(exit.value) : reject(Cause.squash(exit.cause))),
        drop: (reason) => {
          // The step may not have come to await it, which must not end the process.
          for (const promise of following) promise.catch(() => {})
          reject(reason)
        }
      })
    })
  const then: Promise<AnyEvent>["then"] = (fulfilled, rejected) => {
    promise ??= begin()
    const next = promise.then(fulfilled, rejected)
    following.push(next)
    return next
  }
  return Object.defineProperty(effect, "then", { value: then }) as Asking<AnyEvent>
}

/** The types of the answers. Throws if the step has not declared one. */
export const answersOf = ({ asks, name }: Node, given: AnyDef | Defs, matches: unknown): ReadonlyArray<string> => {
  const defs: ReadonlyArray<AnyDef> = Array.isArray(given) ? given : [given]
  const other = defs.find((def: unknown) => typeof def !== "function" || !("tag" in def))
  if (other !== undefined || defs.length === 0) {
    throw new TypeError(
      `ctx.ask takes a question and what defineEvent returned for its answer, or a list of that, not ${show(given)}`
    )
  }
  if (matches !== undefined && typeof matches !== "function") {
    throw new TypeError(`ctx.ask matches an answer with a function, not ${show(matches)}: write (answer) => …`)
  }
  const tags = defs.map(({ tag }) => tag)
  const undeclared = tags.find((tag) => !asks.some((route) => route.tag === tag))
  if (undeclared === undefined) return tags
  throw new TypeError(`ctx.ask waits for '${undeclared}', but step '${name}' does not ask for it: add it to its 'asks'`)
}
