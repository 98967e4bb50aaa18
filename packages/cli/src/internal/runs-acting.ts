/**
 * The subcommands of `stepgraph runs` that do something to a run: they leave a message or a note, and others act on it.
 */
import { Argument, Command, Flag } from "effect/cli"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Scope } from "effect/Scope"
import { nearest } from "stepgraph/internal"
import { asked, type Known, openRuns, recordOf, type WithFlow } from "./durable.ts"
import { type Failed, Misuse } from "./errors.ts"
import { eventOf, fieldsOf } from "./input.ts"
import { list } from "./load.ts"
import { files, found, json, note, place, print, run } from "./runs-options.ts"
import { schemasOf } from "./schemas.ts"

/** Said of a run that takes nothing more. */
const over = ({ id, messages, state }: Known["record"]) => {
  const closed = state === "active" && messages.some(({ message }) => message._tag === "close")
  const why = closed ? "has its inputs closed" : `has ended (${state})`
  return new Misuse({ message: `Run '${id}' ${why}: it takes nothing more.` })
}

export const send = Command.make(
  "send",
  {
    place,
    run,
    event: Argument.String("event").pipe(Argument.withDescription("The name of an input of the workflow")),
    fields: Argument.String("fields").pipe(
      Argument.withDescription("The event's fields as JSON, or @ and the name of a JSON file"),
      Argument.withDefault("{}")
    ),
    key: Flag.String("key").pipe(
      Flag.withAlias("k"),
      Flag.withDescription("Two events with the same key count once. Default: a new key"),
      Flag.optional
    ),
    files,
    json
  },
  Effect.fnUntraced(function* ({ event, fields, key, ...given }) {
    const { record, stored, with: flow } = yield* found(given)
    const words = { what: `The event`, write: `'{ … }'` }
    const known = Option.isSome(key) && record.messages.some((message) => message.key === key.value)
    if (record.endedAt !== undefined && !known) return yield* over(record)
    const options = { key: Option.getOrElse(key, () => crypto.randomUUID() as string) }
    if (flow === undefined) {
      const json = { _tag: event, ...(yield* fieldsOf(event, fields, words)) }
      if (!(yield* asked(() => stored.send(json as never, options)))) return yield* over(record)
    } else {
      const def = flow.flow.inputs.find(({ tag }: { readonly tag: string }) => tag === event)
      if (def === undefined) return yield* notAnInput(flow.flow, event)
      const made = yield* eventOf(def, fields, yield* schemasOf(flow.file, flow.flow), words)
      yield* Effect.mapError(sent(flow.handle, made, options), (error) => error ?? over(record))
    }
    yield* print(
      given.json,
      () => ({ run: record.id, event, key: options.key, again: known }),
      () =>
        known
          ? `Run '${record.id}' had been sent an event with the key '${options.key}' before: it counts once.`
          : `Sent ${event} to run '${record.id}'.`
    )
    if (flow === undefined && !known && !given.json) {
      yield* note(
        `It was sent unchecked, and is ignored if the workflow does not accept it. With --flow FILE, it is checked first.`
      )
    }
  }, Effect.scoped)
).pipe(
  Command.withDescription("Send an event to a run, such as an answer"),
  Command.withExamples([
    { command: `stepgraph runs runs.db send order-17 Approval '{"by":"Ada"}' --flow orders.ts`, description: "Once" },
    {
      command: `stepgraph runs runs.db send order-17 Approval '{"by":"Ada"}' --key click-3`,
      description: "Sent twice, it counts once"
    }
  ])
)

/** Fails with nothing where the run takes no more events. */
const sent = ({ send }: WithFlow["handle"], event: object, options: { readonly key: string }) =>
  Effect.tryPromise({
    try: () => send(event, options),
    catch: (error) => {
      const { _tag, message } = error as Error & { readonly _tag?: string }
      return _tag === "RunEnded" ? undefined : new Misuse({ message: `${message}.` })
    }
  })

const notAnInput = (
  { inputs, name }: { readonly name: string; readonly inputs: ReadonlyArray<any> },
  event: string
) => {
  const tags: ReadonlyArray<string> = inputs.map(({ tag }) => tag)
  const near = nearest(event, tags)
  const has = tags.length === 0 ? "it has none" : `its inputs are ${list(tags)}`
  const meant = near === undefined ? "" : ` Did you mean '${near}'?`
  return new Misuse({ message: `Workflow '${name}' has no input '${event}': ${has}.${meant}` })
}

/** A command that does one thing to a run. */
const acting = (
  name: string,
  description: string,
  act: (
    known: Known
  ) => Effect.Effect<{ readonly done: string; readonly [more: string]: unknown }, Misuse | Failed, Scope>
) =>
  Command.make(
    name,
    { place, run, json },
    Effect.fnUntraced(function* ({ json, place, run }) {
      const runs = yield* openRuns({ place, files: [] })
      const known = yield* recordOf(runs, run, place)
      const { done, ...more } = yield* act(known)
      yield* print(
        json,
        () => ({ run, ...more }),
        () => done
      )
    }, Effect.scoped)
  ).pipe(Command.withDescription(description))

export const close = acting("close", "Close the inputs of a run: no more events will come", ({ record, stored }) =>
  Effect.gen(function* () {
    if (!(yield* asked(() => stored.closeInputs()))) return yield* over(record)
    return { done: `Closed the inputs of run '${record.id}'.`, closed: true }
  })
)

/** A process that is running takes much less. */
const patience = "2 seconds"

export const interrupt = acting(
  "interrupt",
  "Interrupt a run for good: its steps clean up first",
  ({ record, stored }) =>
    Effect.gen(function* () {
      const { id, version, workflow } = record
      if (record.endedAt !== undefined || !(yield* asked(() => stored.interrupt()))) return yield* over(record)
      const ended: Effect.Effect<string, Misuse> = Effect.flatMap(
        asked(() => stored.record()),
        ({ endedAt, state }) => (endedAt === undefined ? Effect.delay(ended, "50 millis") : Effect.succeed(state))
      )
      const state = yield* Effect.timeoutOption(ended, patience)
      if (Option.isSome(state)) return { done: `Run '${id}' has ended: ${state.value}.`, state: state.value }
      const done = `Asked run '${id}' to end. It ends once a process with workflow '${workflow}', version ${version}, is running.`
      return { done, state: record.state }
    })
)

export const resume = acting("resume", "Let a stuck run go on, once its cause is fixed", ({ record, stored }) =>
  Effect.gen(function* () {
    const { id, state, version, workflow } = record
    if (!(yield* asked(() => stored.resume()))) {
      return yield* new Misuse({ message: `Run '${id}' is not stuck (${state}): there is nothing to resume.` })
    }
    const done = `Run '${id}' goes on once a process with workflow '${workflow}', version ${version}, is running.`
    return { done, resumed: true }
  })
)

export const forget = acting("forget", "Delete a run that has ended, with its journal", ({ record, stored }) =>
  Effect.gen(function* () {
    const { id, state } = record
    if (!(yield* asked(() => stored.forget()))) {
      return yield* new Misuse({ message: `Run '${id}' has not ended (${state}): interrupt it first.` })
    }
    return { done: `Forgot run '${id}'.`, forgotten: true }
  })
)
