// The iterators of `events` behave as native async generators do, however many pulls wait at the same time.
import { describe, expect, it } from "@effect/vitest"
import { Deferred, Effect, Schema } from "effect"
import { defineEvent, defineStep, launchPromise, type RunHandle, workflow } from "stepgraph"
import { heapInUse } from "../support/memory.ts"

const Start = defineEvent("Start", { rows: Schema.Number, fails: Schema.Boolean })
const Row = defineEvent("Row", { n: Schema.Number })
const Note = defineEvent("Note", { n: Schema.Number })
const Stop = defineEvent("Stop")

/** Emits its rows at once, and ends. */
const quick = workflow({
  name: "quick",
  start: Start,
  stop: Stop,
  outputs: [Row],
  steps: {
    read: defineStep({
      accepts: Start,
      emits: [Row, Stop],
      run: async function* ({ rows, fails }) {
        for (let n = 0; n < rows; n++) yield Row({ n })
        if (fails) throw "broken"
        yield Stop()
      }
    })
  }
})

/** Emits a row for each note that is sent to it, and ends with the first that is negative. */
const waiting = workflow({
  name: "waiting",
  start: Start,
  stop: Stop,
  inputs: [Note],
  outputs: [Row],
  steps: {
    begin: defineStep({ accepts: Start, emits: [], run: () => {} }),
    copy: defineStep({ accepts: Note, emits: [Row, Stop], run: ({ n }) => (n < 0 ? Stop() : Row({ n })) })
  }
})

const nothing = { rows: 0, fails: false }
const iteratorOf = ({ events }: RunHandle<never, unknown, unknown>) =>
  events[Symbol.asyncIterator]() as AsyncIterator<unknown, unknown>
const short = (event: unknown): unknown => {
  const { _tag, n } = (event ?? {}) as { readonly _tag?: string; readonly n?: number }
  return _tag === "Row" ? n : (_tag ?? event)
}

/** The result of each call, in the order of settling. */
class Calls {
  readonly settled: Array<readonly [call: number, outcome: string, value: unknown]> = []
  private readonly iterator: AsyncIterator<unknown, unknown>
  private readonly made: Array<Promise<unknown>> = []

  constructor(iterator: AsyncIterator<unknown, unknown>) {
    this.iterator = iterator
  }

  call(kind: "next" | "return" | "throw", value?: unknown): void {
    const at = this.made.length
    const { settled } = this
    this.made.push(
      this.iterator[kind]!(value as never).then(
        ({ done, value }) => settled.push([at, done ? "done" : "value", short(value)]),
        (error) => settled.push([at, "error", error?.cause ?? error])
      )
    )
  }

  async all(): Promise<typeof this.settled> {
    await Promise.all(this.made)
    return this.settled
  }
}

describe("an iterator of events", () => {
  const Command = Schema.Literals(["next", "next", "return", "throw", "pause"])

  it.effect.prop(
    "does what an async generator does, whatever is called and whatever it is called during",
    { rows: Schema.Literals([0, 1, 2, 3, 5]), fails: Schema.Boolean, commands: Schema.Array(Command) },
    ({ rows, fails, commands }) =>
      Effect.promise(async () => {
        async function* native() {
          for (let n = 0; n < rows; n++) yield Row({ n })
          if (fails) throw "broken"
          yield Stop()
        }
        const live = await launchPromise(quick, { rows, fails })
        await live.result.catch(() => {})
        const play = async (iterator: AsyncIterator<unknown, unknown>) => {
          const calls = new Calls(iterator)
          for (const [at, command] of commands.entries()) {
            if (command === "pause") await calls.all()
            else calls.call(command, command === "next" ? undefined : `${command} ${at}`)
          }
          return calls.all()
        }
        expect(await play(iteratorOf(live))).toEqual(await play(native()))
      })
  )

  it("delivers each value once, in order, to any number of waiting pulls", async () => {
    const live = await launchPromise(waiting, nothing)
    const calls = new Calls(iteratorOf(live))
    for (let n = 0; n < 6; n++) calls.call("next")
    for (const n of [1, 2, 3, -1]) await live.send(Note({ n }))
    expect(await calls.all()).toEqual([
      [0, "value", 1],
      [1, "value", 2],
      [2, "value", 3],
      [3, "value", "Stop"],
      [4, "done", undefined],
      [5, "done", undefined]
    ])
  })

  it("lets workers share it, until it is done for all of them", async () => {
    const live = await launchPromise(quick, { rows: 100, fails: false })
    const iterator = iteratorOf(live)
    const seen: Array<unknown> = []
    const worker = async () => {
      for (let pull = await iterator.next(); !pull.done; pull = await iterator.next()) seen.push(short(pull.value))
    }
    await Promise.all([worker(), worker(), worker()])
    expect(seen).toEqual([...Array.from({ length: 100 }, (_, n) => n), "Stop"])
  })

  it("rejects one of the waiting pulls if the run fails", async () => {
    const gate = Deferred.makeUnsafe<void>()
    const flow = workflow({
      ...waiting,
      steps: {
        begin: defineStep({
          accepts: Start,
          emits: [],
          run: () => Effect.andThen(Deferred.await(gate), Effect.fail("broken"))
        }),
        copy: waiting.steps.copy
      }
    })
    const live = await launchPromise(flow, nothing)
    const calls = new Calls(iteratorOf(live))
    for (let n = 0; n < 3; n++) calls.call("next")
    Deferred.doneUnsafe(gate, Effect.void)
    expect(await calls.all()).toEqual([
      [0, "error", "broken"],
      [1, "done", undefined],
      [2, "done", undefined]
    ])
  })

  it.each(["return", "throw"] as const)("settles all waiting pulls when %s is called", async (leave) => {
    const live = await launchPromise(waiting, nothing)
    const calls = new Calls(iteratorOf(live))
    calls.call("next")
    await live.send(Note({ n: 1 }))
    await calls.all()
    for (let n = 0; n < 2; n++) calls.call("next")
    calls.call(leave, "enough")
    calls.call("next")
    expect(await calls.all()).toEqual([
      [0, "value", 1],
      [1, "done", undefined],
      [2, "done", undefined],
      [3, leave === "return" ? "done" : "error", "enough"],
      [4, "done", undefined]
    ])
    // The run goes on, and another reader hears all of it.
    await live.send(Note({ n: -1 }))
    const heard: Array<unknown> = []
    for await (const event of live.events) heard.push(short(event))
    expect(heard).toEqual([1, "Stop"])
  })

  it("delivers a value that arrives as it is closed, and waits for no other", async () => {
    let sent = () => {}
    const flow = workflow({
      ...waiting,
      steps: {
        begin: waiting.steps.begin,
        copy: defineStep({
          accepts: Note,
          emits: [Row, Stop],
          run: ({ n }, { send }) => {
            send(Row({ n }))
            sent()
          }
        })
      }
    })
    const live = await launchPromise(flow, nothing)
    const calls = new Calls(iteratorOf(live))
    for (let n = 0; n < 2; n++) calls.call("next")
    const left = new Promise<void>((resolve) => {
      sent = () => {
        calls.call("return")
        resolve()
      }
    })
    await live.send(Note({ n: 1 }))
    await left
    expect(await calls.all()).toEqual([
      [0, "value", 1],
      [1, "done", undefined],
      [2, "done", undefined]
    ])
    await live.interrupt()
  })

  it("is closed by a loop that breaks, and keeps no later events", async () => {
    const live = await launchPromise(waiting, nothing, { keep: 0 })
    const iterator = iteratorOf(live)
    const first = iterator.next()
    await live.send(Note({ n: 1 }))
    expect(short((await first).value)).toBe(1)
    const loop = async () => {
      for await (const _ of { [Symbol.asyncIterator]: () => iterator }) break
    }
    const looping = loop()
    await live.send(Note({ n: 2 }))
    await looping
    const before = heapInUse()
    for (let n = 0; n < 20_000; n++) await live.send(Note({ n }))
    while ((await live.status()).steps.copy!.queued > 0) await new Promise((resume) => setImmediate(resume))
    const kept = heapInUse() - before
    console.log(`after a loop that broke: ${(kept / 20_000).toFixed(0)} bytes an event`)
    expect(kept).toBeLessThan(2 ** 20)
    expect(await iterator.next()).toEqual({ done: true, value: undefined })
    await live.interrupt()
  })
})
