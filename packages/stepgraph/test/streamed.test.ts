import { Effect, Schema, Stream } from "effect"
import { describe, expect, it } from "vitest"
import { defineEvent, defineStep, launchPromise, run, stream, type TraceEntry, workflow } from "../src/index.ts"
import { RunModel } from "../src/TraceModel.ts"

const Start = defineEvent("Start")
const Token = defineEvent("Token", { text: Schema.String, attempt: Schema.Number })
const Note = defineEvent("Note", { text: Schema.String })
const Stop = defineEvent("Stop", { text: Schema.String })

const flowOf = (step: any) =>
  workflow({ name: "model", start: Start, stop: Stop, outputs: [Token, Note], steps: { call: step } } as any) as any

/** Fails in its first attempt, after two tokens. */
const forms = {
  "an async function": async (_: unknown, { send, attempt }: any) => {
    for (const text of ["a", "b"]) send(Token({ text, attempt }))
    send(Note({ text: `held ${attempt}` }))
    await Promise.resolve()
    if (attempt === 1) throw new Error("the line is cut")
    return Stop({ text: "ab" })
  },
  "an Effect": (_: unknown, { send, attempt }: any) =>
    Effect.gen(function* () {
      for (const text of ["a", "b"]) send(Token({ text, attempt }))
      send(Note({ text: `held ${attempt}` }))
      yield* Effect.yieldNow
      if (attempt === 1) return yield* Effect.fail("the line is cut")
      return Stop({ text: "ab" })
    }),
  "an async generator": async function* (_: unknown, { attempt }: any) {
    for (const text of ["a", "b"]) yield Token({ text, attempt })
    yield Note({ text: `held ${attempt}` })
    if (attempt === 1) throw new Error("the line is cut")
    yield Stop({ text: "ab" })
  },
  "a Stream": (_: unknown, { attempt }: any) =>
    Stream.concat(
      Stream.make(Token({ text: "a", attempt }), Token({ text: "b", attempt }), Note({ text: `held ${attempt}` })),
      Stream.suspend(() => (attempt === 1 ? Stream.fail("the line is cut") : Stream.make(Stop({ text: "ab" }))))
    )
}

describe.each(Object.entries(forms))("`stream` on a step that is retried, %s", (_, body) => {
  const step = defineStep({
    accepts: Start,
    emits: [Token, Note, Stop],
    stream: Token,
    retry: { times: 1 },
    run: body as any
  } as any)

  it("is heard at once, and again from the next attempt; what else it emits is held", async () => {
    const events: ReadonlyArray<any> = await Effect.runPromise(Stream.runCollect(stream(flowOf(step)) as any))
    const heard = events.map((event) => (event._tag === "Token" ? `${event.text}${event.attempt}` : event.text))
    expect(heard).toEqual(["a1", "b1", "a2", "b2", "held 2", "ab"])
  })

  it("has its attempt in the trace", async () => {
    const trace: Array<TraceEntry> = []
    const live: any = await launchPromise(
      flowOf(step),
      {} as any,
      { observe: (entry: any) => trace.push(entry) } as any
    )
    await live.result
    const tokens = trace.flatMap((entry) =>
      entry._tag === "EventEmitted" && entry.cause !== null ? [[entry.tag, entry.attempt]] : []
    )
    expect(tokens).toEqual([
      ["Token", 1],
      ["Token", 1],
      ["Token", 2],
      ["Token", 2],
      ["Note", undefined],
      ["Stop", undefined]
    ])
    const model = new RunModel()
    for (const entry of trace) model.add(entry)
    expect([...model.events.values()].map(({ attempt }) => attempt)).toEqual([null, 1, 1, 2, 2, null, null])
    expect(new Set(model.events.keys()).size).toBe(7)
  })
})

describe("`stream`", () => {
  it("is heard before the attempt ends", async () => {
    let goOn = () => {}
    const waiting = new Promise<void>((then) => {
      goOn = then
    })
    const step = defineStep({
      accepts: Start,
      emits: [Token, Stop],
      stream: [Token],
      run: async (_, { send, attempt }) => {
        send(Token({ text: "a", attempt }))
        await waiting
        return Stop({ text: "a" })
      },
      recover: () => Stop({ text: "" })
    })
    const live: any = await launchPromise(flowOf({ ...step, emits: [...step.emits, Note] }))
    for await (const event of live.events) if (event._tag === "Token") goOn()
    expect((await live.result).text).toBe("a")
  })

  it("is refused where it does not fit", () => {
    const refused = (more: object, flow: object = {}) => {
      const step = defineStep({ accepts: Start, emits: [Token, Stop], run: () => Stop({ text: "" }), ...more } as any)
      try {
        workflow({
          name: "w",
          start: Start,
          stop: Stop,
          outputs: [Token],
          ...flow,
          steps: { call: step, ...(flow as any).steps }
        } as any)
      } catch (error: any) {
        return error.message
      }
    }
    const log = defineStep({ accepts: Token, emits: [], run: () => {} })
    expect(refused({ stream: Token })).toBeUndefined()
    const not = "workflow 'w' has a problem:\n  - step 'call' streams"
    expect(refused({ stream: Token }, { steps: { log } })).toBe(
      `${not} 'Token', but it is not an output event that no step accepts`
    )
    expect(refused({ stream: [Token, Stop] })).toBe(`${not} 'Stop', but it is not an output event that no step accepts`)
    expect(refused({ stream: Note })).toBe(`${not} 'Note', but it does not emit it: add 'Note' to its 'emits'`)
    expect(refused({ stream: "Token" })).toBe(
      `${not} something that is not an event: use what defineEvent returned, or a list of that`
    )
  })

  it("fails with the run, after what was heard", async () => {
    const step = defineStep({
      accepts: Start,
      emits: [Token, Note, Stop],
      stream: Token,
      retry: { times: 1 },
      run: async (_, { send, attempt }) => {
        send(Token({ text: "a", attempt }))
        throw new Error("no")
      }
    })
    const error: any = await Effect.runPromise(Effect.flip(run(flowOf(step)) as any))
    expect(error._tag).toBe("StepRejected")
  })
})
