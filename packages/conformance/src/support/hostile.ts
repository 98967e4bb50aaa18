// Values that are hard to inspect: some throw, some are huge, some are endless.
import { Option, Redacted } from "effect"

const revoked = <A extends object>(target: A): A => {
  const { proxy, revoke } = Proxy.revocable(target, {})
  revoke()
  return proxy
}

const throwing = (): never => {
  throw new Error("'author' is not loaded")
}

/** Every trap throws. */
const closed = new Proxy({}, new Proxy({}, { get: () => throwing }))

const links = (count: number) => {
  let link: object = {}
  for (let n = 0; n < count; n++) link = { link }
  return link
}

class Denied extends Error {
  #why = "no"
  override get message() {
    return this.#why
  }
}

class Record {
  readonly id = 1
  get author() {
    return throwing()
  }
}

export const hostile: Readonly<globalThis.Record<string, () => unknown>> = {
  "a getter that throws": () => ({
    id: 1,
    get author() {
      return throwing()
    }
  }),
  "an inherited getter that throws": () => new Record(),
  "a revoked proxy": () => revoked({}),
  "a revoked list": () => revoked([]),
  "a proxy that throws whatever is asked": () => closed,
  "8,000 links": () => links(8_000),
  "a circle": () => {
    const circle: globalThis.Record<string, unknown> = { n: 1 }
    circle.itself = circle
    return circle
  },
  "an object without a prototype": () => Object.create(null),
  "a toJSON that throws": () => ({ toJSON: throwing }),
  "a class whose toJSON throws": () =>
    new (class Row extends Record {
      toJSON() {
        return throwing()
      }
    })(),
  "a toJSON that gives itself": () =>
    new (class Itself {
      toJSON() {
        return this
      }
    })(),
  "a toString that throws": () =>
    new (class Odd {
      override = throwing
      toString() {
        return throwing()
      }
    })(),
  "a constructor that throws": () =>
    Object.create({
      get constructor() {
        return throwing()
      }
    }),
  "an error whose message throws": () => Object.create(new Denied()),
  "an error whose message is a symbol": () => Object.assign(new Error(), { message: Symbol("why") }),
  "an error whose name is an object": () => Object.assign(new Error("no"), { name: revoked({}) }),
  "an error with causes": () => new Error("a", { cause: new AggregateError([new Error("b"), closed], "c") }),
  "an error that is its own cause": () => {
    const error = new Error("no")
    error.cause = error
    return error
  },
  "big bytes": () => new Uint8Array(10_000_000),
  "many floats": () => new Float64Array(500_000),
  "a big map": () => new Map(Array.from({ length: 50_000 }, (_, n) => [n, { n }])),
  "a big set": () => new Set(Array.from({ length: 50_000 }, (_, n) => n)),
  "a long list": () => Array.from({ length: 50_000 }, (_, n) => ({ n })),
  "a list of holes": () => new Array(4_000_000_000),
  "a long text": () => "x".repeat(10_000_000),
  "many fields": () => Object.fromEntries(Array.from({ length: 50_000 }, (_, n) => [`field${n}`, n])),
  "a tree": () => {
    const grow = (depth: number): unknown => (depth === 0 ? "leaf" : [grow(depth - 1), grow(depth - 1)])
    return grow(17)
  },
  "a field named __proto__": () => JSON.parse('{"__proto__":{"polluted":true}}'),
  "a bigint": () => 2n ** 200_000n,
  "a symbol": () => Symbol("\u001b[2J"),
  "a function": () => throwing,
  "a class": () => Denied,
  "an invalid date": () => new Date(Number.NaN),
  "NaN in a list": () => [Number.NaN, -0, undefined, null],
  "half a character": () => "\ud800",
  "a promise": () => Promise.resolve(1),
  "a generator": () =>
    (function* () {
      yield throwing()
    })(),
  "what inherits from a map": () => Object.create(new Map()),
  "what inherits from a date": () => Object.create(new Date()),
  "what inherits from bytes": () => Object.create(new Uint8Array(3)),
  "a Redacted in a container": () => Option.some([new Map([["key", Redacted.make("hunter2")]])])
}
