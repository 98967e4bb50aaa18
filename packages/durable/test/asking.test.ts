// Calls that ask in the middle, and events that leave a call before its end, in runs that survive their process.
import { fork } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join as path } from "node:path"
import { Clock, Duration, Effect, Exit, Layer, Schema } from "effect"
import { defineEvent, defineState, defineStep, NoAnswer, race, workflow } from "stepgraph"
import { afterAll, describe, expect, it } from "vitest"
import type { Model, Tool } from "../../../examples/agent/conversation.ts"
import { Approval as AgentApproval, agent } from "../../../examples/agent/workflow.ts"
import { durable, HistoryDiverged, layerStore, openDurable, Store, type StoreService } from "../src/index.ts"
import { memoryStore } from "../src/internal/memory-store.ts"
import { sqlStore } from "../src/internal/sql-store.ts"
import * as SqliteClient from "../src/SqliteClient.ts"
import { Answer, Approval, approval, Noted, Question, Result, Task } from "./support/approval.ts"

const folder = mkdtempSync(path(tmpdir(), "asking-"))
afterAll(() => rmSync(folder, { recursive: true }))
let files = 0
const stores: Readonly<Record<string, () => Layer.Layer<Store>>> = {
  memory: () => {
    const store = memoryStore()
    return Layer.sync(Store, () => store)
  },
  sqlite: () => {
    const filename = path(folder, `${++files}.db`)
    return Layer.orDie(Layer.provide(Layer.effect(Store, sqlStore), SqliteClient.layer({ filename })))
  }
}

const opened = (store: Layer.Layer<Store>, durables: ReadonlyArray<any>, options: object = {}) =>
  openDurable({ layer: Layer.provide(layerStore({ poll: 5, ...options }), store) }, durables as [])
const inStore = <A>(store: Layer.Layer<Store>, use: (store: StoreService) => Effect.Effect<A>): Promise<A> =>
  Effect.runPromise(Effect.provide(Effect.flatMap(Store, use), store))
const realClock = Effect.runSync(Effect.service(Clock.Clock))
const sleep = (millis: number) => new Promise((resolve) => setTimeout(resolve, millis))
const until = async (holds: () => boolean | Promise<boolean>) => {
  while (!(await holds())) await sleep(2)
}
/** Until the run is nobody's, and in no memory. */
const givenBack = (at: Layer.Layer<Store>, id = "a") =>
  until(() => inStore(at, (store) => Effect.map(store.get(id), (run) => run?.owner === undefined)))
const asks = (run: any, many: number) => until(async () => (await run.status()).questions.length === many)
/** Until so many entries of its journal are stored. */
const written = (at: Layer.Layer<Store>, many: number, id = "a") =>
  until(() =>
    inStore(at, (store) => Effect.map(store.load(id), (all) => all.flatMap(({ entries }) => entries).length >= many))
  )
const all = async (events: AsyncIterable<any>) => {
  const seen: Array<any> = []
  for await (const event of events) seen.push(event)
  return seen
}
const named = async (run: any, tag: string) => (await run.trace()).filter((entry: any) => entry._tag === tag)

describe.each(Object.entries(stores))("ask, on %s", (_, store) => {
  it.each([
    ["in memory", { warm: 64 }],
    ["outside of the memory", { warm: 0 }]
  ])("goes on with the answer after it has waited %s", async (where, options) => {
    const called: Array<string> = []
    const flow = approval({ called: (what) => called.push(what) })
    const at = store()
    await using runs = await opened(at, [flow], options)
    const run = await runs.start(flow, "a", { tools: ["read", "write"] })
    await asks(run, 2)
    if (where === "outside of the memory") await givenBack(at)
    else await until(() => called.includes("note write"))
    expect((await run.status()).questions).toEqual(
      ["read", "write"].map((tool) => ({
        step: "use",
        question: Question({ tool, text: "may I?" }),
        awaits: ["Approval"]
      }))
    )
    await run.send(Approval({ tool: "write", yes: false }))
    await run.send(Approval({ tool: "read", yes: true }))
    expect(await run.result).toEqual(Answer({ texts: ["read true", "write false"] }))
    // Its function is called again; the question is asked once.
    for (const tool of ["read", "write"]) {
      expect(called.filter((what) => what === `note ${tool}`)).toHaveLength(1)
      const calls = called.filter((what) => what === `use ${tool}`).length
      expect(where === "in memory" ? calls === 1 : calls > 1).toBe(true)
    }
    expect(called.filter((what) => what === "write: false")).toHaveLength(1)
    const outputs = await all(run.events())
    expect(outputs.filter(({ _tag }) => _tag === "Question")).toHaveLength(2)
    expect(outputs.at(-1)._tag).toBe("Answer")
    expect(await named(run, "QuestionAsked")).toHaveLength(2)
    expect((await named(run, "QuestionEnded")).map(({ outcome }: any) => outcome)).toEqual(["answered", "answered"])
  })

  it("makes no call whose answer has not come, and asks a call that matches answers only then", async () => {
    const called: Array<string> = []
    const at = store()
    const ask = async (tool: string, { ask }: any) => {
      const question = Question({ tool, text: "may I?" })
      const { yes } =
        tool === "any" ? await ask(question, Approval) : await ask(question, Approval, (to: any) => to.tool === tool)
      return Result({ text: `${tool} ${yes}` })
    }
    const flow = approval({ called: (what) => called.push(what), ask })
    const first = await opened(at, [flow])
    await first.start(flow, "a", { tools: ["any"] })
    await first.start(flow, "b", { tools: ["one", "two"] })
    await written(at, 3)
    await written(at, 5, "b")
    await first.close()
    called.length = 0
    await using second = await opened(at, [flow])
    const [a, b] = [second.run(flow, "a"), second.run(flow, "b")]
    await asks(a, 1)
    await asks(b, 2)
    await sleep(20)
    expect(called).toEqual([])
    await a.send(Approval({ tool: "?", yes: true }))
    expect(await a.result).toEqual(Answer({ texts: ["any true"] }))
    expect(called).toEqual(["use any"])
    await b.send(Approval({ tool: "two", yes: true }))
    await until(() => called.includes("use two"))
    expect(called.toSorted()).toEqual(["use any", "use one", "use two"])
    await b.send(Approval({ tool: "one", yes: false }))
    expect(await b.result).toEqual(Answer({ texts: ["one false", "two true"] }))
    expect(called).toHaveLength(3)
  })

  it("gives the recorded answers at once, one after the other or all together, and asks what is left", async () => {
    const flow = (together: boolean, called: Array<string>) =>
      approval({
        ask: async (tool, { ask }) => {
          const asked = (n: number) =>
            ask(Question({ tool, text: `${n}` }), Approval, (to: any) => to.tool === `${tool} ${n}`)
          called.push("call")
          const answers: Array<any> = []
          if (together) answers.push(...(await Promise.all([1, 2, 3].map(asked))))
          else
            for (const n of [1, 2, 3]) {
              answers.push(await asked(n))
              called.push(`${n}`)
            }
          return Result({ text: answers.map(({ tool, yes }) => `${tool} ${yes}`).join() })
        }
      })
    for (const together of [false, true]) {
      const at = store()
      for (const n of [1, 2, 3]) {
        const called: Array<string> = []
        const asking = flow(together, called)
        await using runs = await opened(at, [asking])
        const run = await runs.start(asking, "a", { tools: ["x"] })
        await asks(run, together ? 4 - n : 1)
        expect((await run.status()).questions.map(({ question }: any) => question.text)).toEqual(
          together ? ["1", "2", "3"].slice(n - 1) : [`${n}`]
        )
        await run.send(Approval({ tool: `x ${n}`, yes: n > 1 }))
        if (n === 3) {
          expect(await run.result).toEqual(Answer({ texts: ["x 1 false,x 2 true,x 3 true"] }))
          expect(await named(run, "QuestionAsked")).toHaveLength(3)
        } else await asks(run, together ? 3 - n : 1)
      }
    }
  })

  it("keeps an answer that came early, and leaves what answers nothing", async () => {
    const at = store()
    const flow = approval()
    const first = await opened(at, [flow])
    const before = await first.start(flow, "a", { tools: ["read", "write"] })
    await before.send(Approval({ tool: "other", yes: true }))
    await before.send(Approval({ tool: "write", yes: false }))
    await written(at, 7)
    await first.close()
    await using second = await opened(at, [flow])
    const run = second.run(flow, "a")
    await asks(run, 1)
    await run.send(Approval({ tool: "read", yes: true }))
    expect(await run.result).toEqual(Answer({ texts: ["read true", "write false"] }))
    expect((await named(run, "EventLeft")).length + (await named(run, "QuestionEnded")).length).toBeGreaterThan(1)
  })

  it("fails with NoAnswer where the inputs are closed, over a restart as well", async () => {
    const at = store()
    const errors: Array<unknown> = []
    const recover = (error: unknown, { tool }: any) => {
      errors.push(error)
      return Result({ text: `nobody for ${tool}` })
    }
    const flow = approval({ tool: { recover } })
    const first = await opened(at, [flow], { warm: 0 })
    const { status } = await first.start(flow, "a", { tools: ["read", "write"] })
    await until(async () => (await status()).questions.length === 2)
    await givenBack(at)
    await first.close()
    await using second = await opened(at, [flow])
    const run = second.run(flow, "a")
    await run.closeInputs()
    expect(await run.result).toEqual(Answer({ texts: ["nobody for read", "nobody for write"] }))
    expect(errors.map((error) => error instanceof NoAnswer)).toEqual([true, true])
    expect((await named(run, "QuestionEnded")).map(({ outcome }: any) => outcome)).toEqual(["closed", "closed"])
  })

  it("does not retry a call that nobody can answer any more", async () => {
    const called: Array<string> = []
    const recover = (error: any, { tool }: any) => Result({ text: `${error._tag} for ${tool}` })
    const flow = approval({ called: (what) => called.push(what), tool: { retry: { times: 3 }, recover } })
    const at = store()
    await using runs = await opened(at, [flow])
    const run = await runs.start(flow, "a", { tools: ["read"] })
    await asks(run, 1)
    await run.closeInputs()
    expect(await run.result).toEqual(Answer({ texts: ["NoAnswer for read"] }))
    expect(called.filter((what) => what === "use read")).toHaveLength(1)
    expect((await named(run, "InvocationStarted")).filter(({ step }: any) => step === "use")).toHaveLength(1)
  })

  it("asks anew in each attempt, also where an attempt failed in another process", async () => {
    const at = store()
    const attempts: Array<string> = []
    const flow = () =>
      approval({
        tool: { retry: { times: 3 } },
        ask: async (tool, { ask, attempt }) => {
          const { yes } = await ask(Question({ tool, text: `attempt ${attempt}` }), Approval)
          attempts.push(`${attempt} ${yes}`)
          if (!yes) throw new Error("no")
          return Result({ text: `${tool} ${attempt}` })
        }
      })
    for (const yes of [false, false, true]) {
      const asking = flow()
      await using runs = await opened(at, [asking])
      const run = await runs.start(asking, "a", { tools: ["x"] })
      await asks(run, 1)
      const before = attempts.length
      await run.send(Approval({ tool: "x", yes }))
      await until(async () => attempts.length > before && (await run.status()).questions.length === (yes ? 0 : 1))
      if (yes) expect(await run.result).toEqual(Answer({ texts: ["x 3"] }))
    }
    expect(attempts).toEqual(["1 false", "2 false", "3 true"])
    const runs = await opened(at, [flow()])
    const asked = await named(runs.run(flow(), "a"), "QuestionAsked")
    expect(asked.map(({ attempt, question }: any) => [attempt, question])).toEqual([
      [1, 1],
      [2, 2],
      [3, 3]
    ])
    await runs.close()
  })

  it("times out while it waits, as if its process had never ended", async () => {
    const at = store()
    const recover = (error: any, { tool }: any) => Result({ text: `${tool}: ${error._tag}` })
    const flow = approval({ tool: { timeout: "1 hour", recover } })
    const first = await opened(at, [flow])
    await first.start(flow, "a", { tools: ["x"] })
    await written(at, 3)
    await first.close()
    const later = () => Date.now() + 3_600_000
    const clock = Object.assign(Object.create(realClock) as Clock.Clock, {
      currentTimeMillisUnsafe: later,
      currentTimeMillis: Effect.sync(later)
    })
    const layer = Layer.merge(Layer.provide(layerStore({ poll: 5 }), at), Layer.succeed(Clock.Clock, clock))
    await using second = await openDurable({ layer }, [flow])
    const again = second.run(flow, "a")
    expect(await again.result).toEqual(Answer({ texts: ["x: StepTimedOut"] }))
    expect((await named(again, "QuestionEnded")).map(({ outcome }: any) => outcome)).toEqual(["interrupted"])
  })

  it("loses a race, and is interrupted with its run", async () => {
    const Bid = defineEvent("Bid", { n: Schema.Number })
    const Won = defineEvent("Won", { n: Schema.Number })
    const flow = durable(
      workflow({
        name: "races",
        start: Task,
        stop: Answer,
        inputs: [Approval],
        outputs: [Question],
        steps: {
          begin: defineStep({ accepts: Task, emits: Bid, run: () => [1, 2].map((n) => Bid({ n })) }),
          bid: defineStep({
            accepts: Bid,
            emits: [Question, Won],
            asks: Approval,
            run: async ({ n }, { ask }) => {
              const answer = await ask(Question({ tool: `${n}`, text: "" }), Approval, ({ tool }) => tool === `${n}`)
              return Won({ n: answer.yes ? n : -n })
            }
          }),
          end: defineStep({ accepts: race(Won), emits: Answer, run: ({ n }) => Answer({ texts: [`${n}`] }) })
        }
      })
    )
    const at = store()
    const first = await opened(at, [flow])
    for (const id of ["a", "b"]) {
      await first.start(flow, id, { tools: [] })
      await written(at, 3, id)
    }
    await first.close()
    await using second = await opened(at, [flow])
    const run = second.run(flow, "a")
    await run.send(Approval({ tool: "2", yes: true }))
    expect(await run.result).toEqual(Answer({ texts: ["2"] }))
    const ends = (await named(run, "QuestionEnded")).map(({ outcome }: any) => outcome)
    expect(ends.toSorted()).toEqual(["answered", "interrupted"])
    await second.run(flow, "b").interrupt()
    expect((await second.list({ state: "interrupted" })).map(({ id }) => id)).toEqual(["b"])
  })

  it("stops where the call asks something else than it has asked", async () => {
    // 10 seconds are 100 milliseconds.
    const clock = Object.assign(Object.create(realClock) as Clock.Clock, {
      sleep: (duration: Duration.Duration) => realClock.sleep(Duration.divideUnsafe(duration, 100))
    })
    const at = store()
    const hurried = () => {
      const layer = Layer.merge(Layer.provide(layerStore({ poll: 5 }), at), Layer.succeed(Clock.Clock, clock))
      return openDurable({ layer }, [flow])
    }
    let text = "before"
    const flow = approval({
      ask: async (tool, { ask }) => {
        await ask(Question({ tool, text }), Approval)
        return Result({ text })
      }
    })
    const first = await opened(at, [flow])
    await first.start(flow, "a", { tools: ["x"] })
    await written(at, 3)
    await first.close()
    text = "after"
    await using second = await hurried()
    const run = second.run(flow, "a")
    await run.send(Approval({ tool: "x", yes: true }))
    const error = await run.result.catch((error: unknown) => error)
    expect(error).toBeInstanceOf(HistoryDiverged)
    expect((error as HistoryDiverged).message).toMatch(
      /^run 'a' of workflow 'approval' cannot go on: entry 1 of its journal is question \{"_tag":"Question","tool":"x","text":"before"\} of call 'use#\w+', but the call now asks \{"_tag":"Question","tool":"x","text":"after"\} instead\. A call that is made again must ask the same questions: put what differs each time into a step of its own before it\. Restore the function, and resume the run$/
    )
    text = "before"
    await run.resume()
    expect(await second.run(flow, "a").result).toEqual(Answer({ texts: ["before"] }))
  })

  it("repeats a call that read a cell which was written while it waited, with the same answer", async () => {
    const cell = defineState("cell", Schema.Number, 0)
    const Write = defineEvent("Write")
    const seen: Array<number> = []
    const flow = durable(
      workflow({
        name: "reads",
        start: Task,
        stop: Answer,
        inputs: [Approval, Write],
        outputs: [Question],
        steps: {
          ask: defineStep({
            accepts: Task,
            emits: [Question, Answer],
            asks: Approval,
            run: async (_, { ask, get }) => {
              const value = get(cell)
              const { yes } = await ask(Question({ tool: "x", text: "" }), Approval)
              seen.push(value)
              return Answer({ texts: [`${value} ${yes}`] })
            }
          }),
          write: defineStep({ accepts: Write, emits: [], run: (_, { set }) => void set(cell, 1) })
        }
      })
    )
    await using runs = await opened(store(), [flow])
    const run = await runs.start(flow, "a", { tools: [] })
    await asks(run, 1)
    await run.send(Write())
    await until(async () => (await named(run, "InvocationEnded")).length === 1)
    await run.send(Approval({ tool: "x", yes: true }))
    expect(await run.result).toEqual(Answer({ texts: ["1 true"] }))
    expect(seen).toEqual([0, 1])
    expect(await named(run, "QuestionAsked")).toHaveLength(1)
  })

  it("lets what is streamed out at once, and once more where its process has died", async () => {
    const Token = defineEvent("Token", { attempt: Schema.Number, n: Schema.Number })
    let go: () => void = () => {}
    const flow = (fails: boolean) =>
      durable(
        workflow({
          name: "tokens",
          start: Task,
          stop: Answer,
          outputs: [Token],
          steps: {
            think: defineStep({
              accepts: Task,
              emits: [Token, Answer],
              stream: Token,
              retry: { times: 1 },
              run: async (_, { attempt, send }) => {
                for (const n of [1, 2]) send(Token({ attempt, n }))
                if (attempt === 1) throw new Error("again")
                await new Promise<void>((resolve) => {
                  go = resolve
                })
                send(Token({ attempt, n: 3 }))
                return Answer({ texts: [`${fails}`] })
              }
            })
          }
        })
      )
    const at = store()
    const first = await opened(at, [flow(true)])
    const before = await first.start(flow(true), "a", { tools: [] })
    const heard: Array<string> = []
    for await (const { _tag, attempt, n } of before.events() as any) {
      heard.push(`${_tag} ${attempt}.${n}`)
      if (heard.length === 4) break
    }
    expect(heard).toEqual(["Token 1.1", "Token 1.2", "Token 2.1", "Token 2.2"])
    await first.close()
    await using second = await opened(at, [flow(true)])
    const run = second.run(flow(true), "a")
    const events = all(run.events({ from: 1 }))
    const stored = async () => (await inStore(at, (store) => store.load("a"))).flatMap(({ entries }) => entries)
    await until(async () => (await stored()).filter((entry: any) => entry.o !== undefined).length === 6)
    go()
    expect((await events).map(({ _tag, attempt, n }) => `${_tag} ${attempt}.${n}`)).toEqual([
      "Token 1.2",
      ...["Token 2.1", "Token 2.2", "Token 2.1", "Token 2.2", "Token 2.3"],
      "Answer undefined.undefined"
    ])
    const tokens = (await named(run, "EventEmitted")).filter(({ tag }: any) => tag === "Token")
    expect(tokens.map(({ attempt }: any) => attempt)).toEqual([1, 1, 2, 2, 2, 2, 2])
    expect(new Set(tokens.map(({ event }: any) => event)).size).toBe(7)
  })

  it("runs the example's agent to its end over restarts", async () => {
    const called: Array<string> = []
    const call = (tool: string, n: number) => ({ id: `${tool}-${n}`, tool, input: "{}" })
    const model: Model = async (conversation, { onToken }) => {
      onToken("…")
      const heard = conversation.flatMap((message) => (message.role === "tool" ? [message] : []))
      if (heard.length === 0) return { text: "", calls: [call("read", 1), call("write", 2), call("write", 3)] }
      return { text: heard.map(({ call, text }) => `${call}: ${text}`).join(", "), calls: [] }
    }
    const toolOf = (name: string, dangerous: boolean): Tool => ({
      dangerous,
      run: async () => {
        called.push(name)
        return "ok"
      }
    })
    const flow = durable(agent(model, { read: toolOf("read", false), write: toolOf("write", true) }))
    const at = store()
    for (const id of ["write-3", "write-2"]) {
      const runs = await opened(at, [flow])
      const run = await runs.start(flow, "a", { text: "Go." })
      await asks(run, id === "write-3" ? 2 : 1)
      await run.send(AgentApproval({ id, yes: id === "write-2" }))
      if (id === "write-3") await asks(run, 1)
      else {
        const stop: any = await run.result
        expect(stop.text).toBe("read-1: ok, write-2: ok, write-3: The user said no.")
        const outputs = await all(run.events())
        expect(outputs.map(({ _tag }) => _tag)).toEqual(expect.arrayContaining(["Token", "Call", "Question", "Answer"]))
        expect(outputs.filter(({ _tag }) => _tag === "Question")).toHaveLength(2)
      }
      await runs.close()
    }
    // What was not stored when its process ended is done again.
    expect(called.filter((name) => name === "write")).toHaveLength(1)
  })
})

describe("ask, and kill -9", () => {
  it("is answered in another process than the one that was killed while it asked", async () => {
    const place = path(folder, "killed.db")
    const child = fork(new URL("support/asker.ts", import.meta.url), [place, "a"], { execArgv: [] })
    const heard: Array<any> = []
    await new Promise<void>((resolve) =>
      child.on("message", (what: any) => {
        heard.push(what)
        if (what._tag === "Noted") resolve()
      })
    )
    child.kill("SIGKILL")
    await new Promise((resolve) => child.once("exit", resolve))
    expect(heard).toEqual(
      expect.arrayContaining([
        "use write",
        "note write",
        Question({ tool: "write", text: "may I?" }),
        Noted({ tool: "write" })
      ])
    )
    const called: Array<string> = []
    const flow = approval({ called: (what) => called.push(what) })
    await using runs = await openDurable({ sqlite: place }, [flow])
    const run = runs.run(flow, "a")
    await asks(run, 1)
    expect(called).toEqual([])
    await run.send(Approval({ tool: "write", yes: true }))
    expect(await run.result).toEqual(Answer({ texts: ["write true"] }))
    expect(called).toEqual(["use write", "write: true"])
    expect((await all(run.events())).map(({ _tag }) => _tag)).toEqual(["Question", "Noted", "Answer"])
    expect(Exit.isSuccess((await run.poll())!)).toBe(true)
  })
})
