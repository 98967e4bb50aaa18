/**
 * Reports unknown options, since a misspelt name would otherwise be ignored.
 */
import { show } from "./Show.ts"

/** The number of letters to insert, delete or replace to turn one word into another. */
const distance = (from: string, to: string): number => {
  let row = Array.from({ length: to.length + 1 }, (_, at) => at)
  for (let i = 1; i <= from.length; i++) {
    const next = [i]
    for (let j = 1; j <= to.length; j++) {
      const replaced = row[j - 1]! + (from[i - 1] === to[j - 1] ? 0 : 1)
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, replaced))
    }
    row = next
  }
  return row[to.length]!
}

const longest = 40

/** The name that was probably meant: the nearest one, if at most half of it differs. */
export const nearest = (name: string, names: ReadonlyArray<string>): string | undefined => {
  let found: string | undefined
  let least = Number.POSITIVE_INFINITY
  for (const other of name.length > longest ? [] : names) {
    const far = distance(name.toLowerCase(), other.toLowerCase())
    if (far >= least || far > Math.max(name.length, other.length) / 2) continue
    found = other
    least = far
  }
  return found
}

const listed = (names: ReadonlyArray<string>): string => names.map((name) => `'${name}'`).join(", ")

const shown = (name: string): string => (name.length > longest ? `${name.slice(0, longest)}…` : name)

const unknown = (name: string, known: ReadonlyArray<string>): string => {
  const meant = nearest(name, known)
  const instead =
    meant !== undefined
      ? `did you mean '${meant}'?`
      : known.length === 0
        ? "it takes none"
        : `${known.length === 1 ? "the only option is" : "the options are"} ${listed(known)}`
  return `there is no option '${shown(name)}': ${instead}`
}

/** The kind of a value, for a message about the expected kind. */
export const kindOf = (value: unknown): string =>
  value === null
    ? "null"
    : Array.isArray(value)
      ? "an array"
      : typeof value === "object"
        ? "an object"
        : `a ${typeof value}`

/**
 * Problems with option names, one sentence each. An undefined option counts as left out. `unnamed` options are allowed
 * but never suggested.
 */
export const unknownOptions = (
  given: unknown,
  known: ReadonlyArray<string>,
  unnamed: ReadonlyArray<string> = []
): ReadonlyArray<string> => {
  if (given === undefined) return []
  if (typeof given !== "object" || given === null || Array.isArray(given)) {
    return [`the options must be an object, not ${kindOf(given)}`]
  }
  return Object.entries(given)
    .filter(([name, value]) => value !== undefined && !known.includes(name) && !unnamed.includes(name))
    .map(([name]) => unknown(name, known))
}

/** Throws a `TypeError` for unknown options. */
export const refuseUnknown = (of: string, given: unknown, known: ReadonlyArray<string>): void => {
  const problems = unknownOptions(given, known)
  if (problems.length > 0) throw new TypeError(`${of}: ${problems.join("; ")}`)
}

/** The problem with the annotations of a schema, if there is one. */
export const problemOfAnnotations = (annotations: unknown): string | undefined =>
  annotations === undefined || (typeof annotations === "object" && annotations !== null && !Array.isArray(annotations))
    ? undefined
    : `takes the annotations of its schema as an object, such as { description: "…" }, not ${show(annotations)}`
