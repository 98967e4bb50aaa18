/**
 * Identifies a definition from any copy of stepgraph, and prints it in a few words, without the contents of its schemas. Both
 * are in a prototype, so that a definition stays plain data that can be spread.
 */
import { NodeInspectSymbol } from "effect/Inspectable"
import { hasProperty } from "effect/Predicate"

type Kind = "EventDef" | "Intake" | "Limit" | "Step" | "Workflow"
const typeId = (kind: Kind): string => `~stepgraph/${kind}`

/** The prototype of every definition of a kind. */
export const prototypeOf = <A>(kind: Kind, textOf: (self: A) => string, inJson: (self: A) => unknown = textOf) => ({
  [typeId(kind)]: kind,
  toString(this: A) {
    return textOf(this)
  },
  toJSON(this: A) {
    return inJson(this)
  },
  [NodeInspectSymbol](this: A) {
    return textOf(this)
  }
})

/** Freezes a definition, with the prototype of its kind. */
export const made = <A extends object>(prototype: object, data: A): A =>
  Object.freeze(Object.assign(Object.create(prototype), data))

export const isMade = (kind: Kind, value: unknown): boolean => hasProperty(value, typeId(kind))

interface Tagged {
  readonly tag: string
}

export const tagsIn = (defs: Tagged | ReadonlyArray<Tagged>): ReadonlyArray<string> =>
  (Array.isArray(defs) ? (defs as ReadonlyArray<Tagged>) : [defs as Tagged]).map(({ tag }) => tag)

/** A list that may be of any length. */
export const listed = (names: ReadonlyArray<string>): string => {
  const most = 12
  return names.length <= most
    ? names.join(", ")
    : `${names.slice(0, most - 1).join(", ")} and ${names.length - most + 1} more`
}
