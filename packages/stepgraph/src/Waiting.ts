/**
 * What the intakes of a run hold and lack, as data and in the words of a message.
 */
import { show } from "./Show.ts"

/** What one step's intake holds and lacks while it waits. */
export interface Waiting {
  readonly step: string
  /** The intake in the words of its definition, such as `join([A, B])`. */
  readonly intake: string
  /** The scope it waits in: the event that opened it, where the intake has a `per`. */
  readonly per: unknown
  /** The key it waits for, where the intake has a `by`. */
  readonly key: unknown
  /** How many events of each type it has. */
  readonly has: Readonly<Record<string, number>>
  /** How many events of each type it still needs; of several types together, the key is `A or B`. */
  readonly needs: Readonly<Record<string, number>>
}

const counts = (of: Readonly<Record<string, number>>): string =>
  Object.entries(of)
    .map(([tag, n]) => `${n} ${tag}`)
    .join(" and ") || "nothing"

export const waitingInWords = (waiting: Waiting): string =>
  `step '${waiting.step}' waits for ${waiting.intake}` +
  (waiting.per === undefined ? "" : ` of ${show(waiting.per)}`) +
  (waiting.key === undefined ? "" : ` with the key ${show(waiting.key)}`) +
  `: has ${counts(waiting.has)}, ` +
  (Object.keys(waiting.needs).length === 0 ? "and runs when nothing more can come" : `needs ${counts(waiting.needs)}`)

/** How many lines of one kind a message has. */
export const shown = 5
/** A line for each of the first; `more` says how many there are beside all of these. */
export const listed = <A>(all: ReadonlyArray<A>, inWords: (one: A) => string, more = 0): string => {
  const lines = all.slice(0, shown).map((one) => `\n  - ${inWords(one)}`)
  const left = all.length + more - lines.length
  return lines.join("") + (left > 0 ? `\n  - and ${left} more` : "")
}
