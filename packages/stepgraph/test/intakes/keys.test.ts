import { describe, expect, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { collect, defineEvent, defineStep, gather, join, run, type WorkflowStalled, workflow } from "stepgraph"
import { heapInUse } from "../support/memory.ts"
import { defect, failure, random, result } from "../support/virtual.ts"

const Start = defineEvent("Start")
const Doc = defineEvent("Doc", { doc: Schema.String })
const Left = defineEvent("Left", { key: Schema.Unknown, n: Schema.Number })
const Right = defineEvent("Right", { key: Schema.Unknown, n: Schema.Number })
const Pair = defineEvent("Pair", { text: Schema.String })
const Stop = defineEvent("Stop", { text: Schema.String })

const define = { name: "keys", start: Start, stop: Stop }
const after = <A>(millis: number, value: A) => Effect.as(Effect.sleep(millis), value)
const by = ({ key }: { readonly key: unknown }) => key
const left = (key: unknown, n = 0) => Left({ key, n })
const right = (key: unknown, n = 0) => Right({ key, n })

const both = defineStep({
  accepts: join([Left, Right], { by }),
  emits: Pair,
  run: ([left, right]) => Pair({ text: `${String(left.key)}:${left.n}${right.n}` })
})
const all = defineStep({
  accepts: gather(Pair),
  emits: Stop,
  run: (pairs) => Stop({ text: pairs.map(({ text }) => text).join(" ") })
})
const pairs = (events: ReadonlyArray<ReturnType<typeof Left> | ReturnType<typeof Right>>) => {
  const feed = defineStep({ accepts: Start, emits: [Left, Right], run: () => events })
  return Effect.map(result(run(workflow({ ...define, steps: { feed, both, all } }))), ({ text }) => text)
}

describe("by", () => {
  it.effect("keeps one join for each key, however the keys are mixed", () =>
    Effect.gen(function* () {
      expect(
        yield* pairs([left("a", 1), left("b", 2), right("c", 3), right("b", 4), right("a", 5), left("c", 6)])
      ).toBe("a:15 b:24 c:63")
    })
  )

  it.effect("pairs the same keys in every timing", () =>
    Effect.gen(function* () {
      for (let seed = 1; seed <= 40; seed++) {
        const next = random(seed)
        const docs = defineStep({ accepts: Start, emits: Doc, run: () => ["a", "b", "c"].map((doc) => Doc({ doc })) })
        const lefts = defineStep({
          accepts: Doc,
          emits: Left,
          run: ({ doc }) => after(Math.floor(9 * next()), left(doc, 1))
        })
        const rights = defineStep({
          accepts: Doc,
          emits: Right,
          run: ({ doc }) => after(Math.floor(9 * next()), right(doc, 2))
        })
        const { text } = yield* result(run(workflow({ ...define, steps: { docs, lefts, rights, both, all } })))
        expect(text).toBe("a:12 b:12 c:12")
      }
    })
  )

  it.effect("keeps a key's surplus for that key's next round", () =>
    Effect.gen(function* () {
      expect(
        yield* pairs([left("a", 1), left("a", 2), right("b", 3), right("a", 4), right("a", 5), left("b", 6)])
      ).toBe("a:14 a:25 b:63")
    })
  )

  it.effect("compares keys as a Map does", () =>
    Effect.gen(function* () {
      const same = { toString: () => "same" }
      expect(
        yield* pairs([left(Number.NaN), right(Number.NaN), left(same), right(same), left(undefined), right(undefined)])
      ).toBe("NaN:00 same:00 undefined:00")
      expect(yield* pairs([left(1), right("1"), left({}), right({}), left(null), right(undefined)])).toBe("")
    })
  )

  it.effect("collects for each key", () =>
    Effect.gen(function* () {
      const feed = defineStep({
        accepts: Start,
        emits: Left,
        run: () => [1, 2, 3, 4, 5, 6, 7].map((n) => left(n % 3, n))
      })
      const two = defineStep({
        accepts: collect(Left, 2, { by }),
        emits: Pair,
        run: (events) => Pair({ text: events.map(({ n }) => n).join("+") })
      })
      expect((yield* result(run(workflow({ ...define, steps: { feed, two, all } })))).text).toBe("1+4 2+5 3+6")
    })
  )

  it.effect("with per keeps the same key of two documents apart", () =>
    Effect.gen(function* () {
      const docs = defineStep({ accepts: Start, emits: Doc, run: () => ["x", "y"].map((doc) => Doc({ doc })) })
      const lefts = defineStep({ accepts: Doc, emits: Left, run: () => [left("a", 1), left("b", 2)] })
      const rights = defineStep({
        accepts: Doc,
        emits: Right,
        run: ({ doc }) => after(doc === "x" ? 20 : 10, [right("b", 3), right("a", 4)])
      })
      const perDoc = defineStep({
        accepts: join([Left, Right], { per: Doc, by }),
        emits: Pair,
        run: ([{ key, n }, right], { per }) => Pair({ text: `${per.doc}${key}:${n}${right.n}` })
      })
      const flow = workflow({ ...define, steps: { docs, lefts, rights, perDoc, all } })
      expect((yield* result(run(flow))).text).toBe("xa:14 xb:23 ya:14 yb:23")
    })
  )

  it.effect("reports in the stall the incomplete keys, and not the complete ones", () =>
    Effect.gen(function* () {
      const finish = defineStep({ accepts: join([Left, Right], { by }), emits: Stop, run: () => {} })
      const feed = defineStep({
        accepts: Start,
        emits: [Left, Right],
        run: () => [left("a"), left("b"), right("b"), right("c"), right("c")]
      })
      const error = yield* failure(run(workflow({ ...define, steps: { feed, finish } })))
      expect(error).toMatchObject({
        waiting: [
          { step: "finish", intake: "join([Left, Right], { by })", key: "a", has: { Left: 1 }, needs: { Right: 1 } },
          { step: "finish", key: "c", has: { Right: 2 }, needs: { Left: 1 } }
        ]
      })
      expect(error.message).toContain(`step 'finish' waits for join([Left, Right], { by }) with the key "a"`)
    })
  )

  it.effect("may return no key: the stall still reports the rest, in order of arrival", () =>
    Effect.gen(function* () {
      const finish = defineStep({ accepts: collect(Left, 2, { by }), emits: Stop, run: () => {} })
      const keys = ["a", undefined, Number.NaN, "b"]
      const feed = defineStep({ accepts: Start, emits: Left, run: () => keys.map((key) => left(key)) })
      const error = yield* failure(run(workflow({ ...define, steps: { feed, finish } })))
      expect((error as WorkflowStalled).waiting.map(({ key }) => key)).toEqual(keys)
    })
  )

  it.effect("that throws is a defect of the step whose intake it is", () =>
    Effect.gen(function* () {
      const feed = defineStep({ accepts: Start, emits: [Left, Right], run: () => [left("a"), right("a")] })
      const finish = defineStep({
        accepts: join([Left, Right], {
          by: () => {
            throw new Error("no key")
          }
        }),
        emits: Stop,
        run: () => {}
      })
      const error = yield* defect(run(workflow({ ...define, steps: { feed, finish } })))
      expect(error).toMatchObject({ _tag: "StepDefect", step: "finish", input: { _tag: "Left" } })
      expect((error as Error).message).toContain("no key")
    })
  )

  it.effect("is asked once for each event", () =>
    Effect.gen(function* () {
      const asked: Array<unknown> = []
      const feed = defineStep({ accepts: Start, emits: Left, run: () => ["a", "b", "a", "b"].map((key) => left(key)) })
      const two = defineStep({
        accepts: collect(Left, 2, {
          by: ({ key }) => {
            asked.push(key)
            return key
          }
        }),
        emits: Pair,
        run: () => Pair({ text: "" })
      })
      yield* result(run(workflow({ ...define, steps: { feed, two, all } })))
      expect(asked).toEqual(["a", "b", "a", "b"])
    })
  )

  // A million keys in ten batches behave alike (20 to 24 MB after each batch, 5 s); these show it as well.
  it.effect("forgets each key when it is complete: the heap stays flat over 50,000 of them", () =>
    Effect.gen(function* () {
      const batches = 10
      const inBatch = 5000
      const heap: Array<number> = []
      let joined = 0
      const feed = defineStep({
        accepts: Start,
        emits: [Left, Right],
        run: function* () {
          for (let batch = 0; batch < batches; batch++) {
            for (let n = 0; n < inBatch; n++) yield Left({ key: `${batch} ${n}`, n })
            for (let n = 0; n < inBatch; n++) yield Right({ key: `${batch} ${n}`, n })
            heap.push(heapInUse())
          }
        }
      })
      const count = defineStep({
        accepts: join([Left, Right], { by }),
        emits: Stop,
        run: ([left, right]) => {
          if (left.key !== right.key) throw new Error(`${left.key} was joined with ${right.key}`)
          return ++joined === batches * inBatch ? Stop({ text: "all" }) : undefined
        }
      })
      yield* result(run(workflow({ ...define, steps: { feed, count } })))
      // A key that is kept with its cell takes more than 300 bytes: eight batches of them, more than 12 MB.
      expect(heap.at(-1)! - heap[1]!).toBeLessThan(2_000_000)
    })
  )
})
