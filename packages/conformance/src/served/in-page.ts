// What runs in the browser's page: the clients, driven from the tests' process by what can be written down.
import { connect } from "@stepgraph/server/client"
import { connect as connectEffect } from "@stepgraph/server/client-effect"
import { Cause, Effect, Exit, Fiber, Stream } from "effect"
import type { ConnectOptions } from "./doors.ts"

/** An error, or another value that was thrown, as data. */
export type Said =
  | { readonly name: string; readonly message: string; readonly fields: Readonly<Record<string, unknown>> }
  | { readonly value: unknown }
export type Answer =
  | { readonly value: unknown }
  | { readonly reasons: ReadonlyArray<{ readonly kind: "Fail" | "Die" | "Interrupt"; readonly error?: Said }> }
/** As JSON, if it can be written. */
export type Argument = { readonly json: string | undefined } | { readonly unreadable: true }
/** What to do, with which run. */
export interface Call {
  readonly kind: "promise" | "effect"
  readonly to: ConnectOptions
  readonly run: string
  readonly member: string
  readonly args: ReadonlyArray<Argument>
  /** Names the call, or the iterator. */
  readonly id: number
}

const said = (error: any): Said => {
  if (typeof error !== "object" || error === null) return { value: error }
  const json = (value: unknown) => (value === undefined ? undefined : JSON.parse(JSON.stringify(value)))
  const fields = Object.fromEntries(Object.getOwnPropertyNames(error).map((key) => [key, json(error[key])]))
  const { message, name, stack, ...others } = fields
  return { name: String(error.name), message: String(error.message), fields: { ...others, _tag: error._tag } }
}
const answerOf = (exit: Exit.Exit<unknown, unknown>): Answer =>
  Exit.isSuccess(exit)
    ? { value: exit.value }
    : {
        reasons: exit.cause.reasons.map((reason) => {
          if (Cause.isFailReason(reason)) return { kind: "Fail", error: said(reason.error) }
          return Cause.isDieReason(reason) ? { kind: "Die", error: said(reason.defect) } : { kind: "Interrupt" }
        })
      }

/** What a test gives, or what is as hard to read. */
const argumentOf = (argument: Argument | undefined): any => {
  if (argument === undefined) return undefined
  if ("json" in argument) return argument.json === undefined ? undefined : JSON.parse(argument.json)
  return {
    toJSON: () => {
      throw new Error("it cannot be read")
    }
  }
}

const iterators = new Map<number, AsyncIterator<unknown>>()
const aborts = new Map<number, AbortController>()

/** The elements of a stream and its end, one after the other. */
const pulled = (stream: Stream.Stream<unknown, unknown>): AsyncIterator<Answer> => {
  const ready: Array<Answer> = []
  let wake = () => {}
  const put = (answer: Answer) => {
    ready.push(answer)
    wake()
  }
  const fiber = Effect.runFork(Stream.runForEach(stream, (value) => Effect.sync(() => put({ value }))))
  fiber.addObserver((exit) => put(Exit.isSuccess(exit) ? { value: undefined } : answerOf(exit)))
  return {
    next: async () => {
      while (ready.length === 0) await new Promise<void>((resolve) => (wake = resolve))
      return { done: false, value: ready.shift()! }
    },
    return: async () => {
      await Effect.runPromise(Fiber.interrupt(fiber))
      return { done: true, value: undefined }
    }
  }
}

const settled = (promise: Promise<unknown>): Promise<Answer> =>
  promise.then(
    (value) => ({ value }),
    (error) => ({ reasons: [{ kind: "Fail" as const, error: said(error) }] })
  )

const iterated = ({ args: [of, value], id, kind, run, to }: Call): Promise<Answer> => {
  let iterator = iterators.get(id)
  if (iterator === undefined) {
    const made =
      kind === "promise"
        ? connect(to).run(run).events[Symbol.asyncIterator]()
        : pulled(connectEffect(to).run(run).events)
    iterators.set(id, (iterator = made))
  }
  return settled(iterator[argumentOf(of) as "next"](argumentOf(value)))
}

const called = async ({ args, id, kind, member, run, to }: Call): Promise<Answer> => {
  const given = args.map(argumentOf)
  if (kind === "promise") {
    const client = connect<any>(to)
    if (member === "start") return settled(client.start(given[0]).then(({ id }) => id))
    const handle: any = client.run(run)
    return settled(member === "result" ? handle.result : handle[member](...given))
  }
  const client = connectEffect<any>(to)
  const handle: any = client.run(run)
  const effect =
    member === "start"
      ? Effect.map(client.start(given[0]), ({ id }) => id)
      : member === "send"
        ? handle.send(...given)
        : member === "await"
          ? Effect.flatten(handle.await)
          : handle[member]
  const controller = new AbortController()
  aborts.set(id, controller)
  const exit = await Effect.runPromiseExit(effect as Effect.Effect<unknown, unknown>, { signal: controller.signal })
  aborts.delete(id)
  return answerOf(exit)
}

interface Driven {
  readonly call: (call: Call) => Promise<Answer>
  readonly abort: (id: number) => void
}
declare global {
  var driven: Driven
}
globalThis.driven = {
  call: (call) => (call.member === "events" ? iterated(call) : called(call)),
  abort: (id) => aborts.get(id)?.abort()
}
