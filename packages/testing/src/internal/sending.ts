/**
 * Events from outside, each sent at any time after the one before.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { type AnyWorkflow, launch } from "stepgraph"

/** An event to send, or `undefined` for the end of the inputs. */
export type Message = { readonly _tag: string } | undefined

/** Takes a message to the run. One that comes after its end is lost. */
export type Take = (message: Message) => Effect.Effect<void>

/** Runs a workflow; `connect` learns how to take messages to it. */
export const talking = (
  flow: AnyWorkflow,
  input: unknown,
  connect: (take: Take) => Effect.Effect<void, never, Scope.Scope>
): Effect.Effect<unknown, unknown> =>
  Effect.scoped(
    Effect.flatMap(launch(flow, input as never), ({ closeInputs, result, send }) =>
      Effect.andThen(
        connect((message) => (message === undefined ? closeInputs : Effect.ignore(send(message as never)))),
        result
      )
    ) as Effect.Effect<unknown, unknown, Scope.Scope>
  )

/** Sends the events, and then closes the inputs. */
export const sending = (events: ReadonlyArray<Message>, take: Take): Effect.Effect<void, never, Scope.Scope> => {
  // A sleep is a choice, unless time is in order.
  const each = Effect.forEach(events, (event) => Effect.andThen(Effect.sleep(1), take(event)), { discard: true })
  return Effect.asVoid(Effect.forkScoped(Effect.andThen(each, take(undefined))))
}
