// Counts the work of a computation, because a clock would give another figure each time.

const searches = [
  "concat",
  "every",
  "filter",
  "find",
  "findIndex",
  "flatMap",
  "forEach",
  "includes",
  "indexOf"
] as const
const others = ["join", "map", "reduce", "reverse", "shift", "slice", "some", "sort", "splice", "unshift"] as const

/**
 * The work of a computation: the number of visited array elements plus the lookups in maps and sets. It is
 * deterministic, so two sizes can be compared.
 */
export const workOf = (compute: () => void): number => {
  let count = 0
  const undo: Array<() => void> = []
  const replace = (
    target: object,
    key: PropertyKey,
    by: (original: (...args: ReadonlyArray<any>) => any) => unknown
  ) => {
    const property = Object.getOwnPropertyDescriptor(target, key)!
    Object.defineProperty(target, key, { ...property, value: by(property.value) })
    undo.push(() => Object.defineProperty(target, key, property))
  }
  const counting = (weight: (self: any) => number) => (original: (...args: ReadonlyArray<any>) => any) =>
    function (this: unknown, ...args: ReadonlyArray<unknown>) {
      count += weight(this)
      return original.apply(this, args as Array<unknown>)
    }
  for (const key of [...searches, ...others])
    replace(
      Array.prototype,
      key,
      counting(({ length }) => length)
    )
  for (const { prototype } of [Map, Set, WeakMap, WeakSet]) {
    for (const key of ["get", "set", "add", "has", "delete"]) {
      if (Object.hasOwn(prototype, key))
        replace(
          prototype,
          key,
          counting(() => 1)
        )
    }
  }
  for (const values of [[], new Map().entries(), new Set().values()]) {
    replace(
      Object.getPrototypeOf(values[Symbol.iterator]()),
      "next",
      counting(() => 1)
    )
  }
  try {
    compute()
  } finally {
    for (const back of undo) back()
  }
  return count
}
