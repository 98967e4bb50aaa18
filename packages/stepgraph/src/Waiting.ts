/**
 * The events that a run's intakes have and need, as data and as text.
 */
import { show } from "./Show.ts"

/** A waiting intake: the events it has and needs. */
export interface Waiting {
  readonly step: string
  /** The intake as written in the code, such as `join([A, B])`. */
  readonly intake: string
  /** Its scope: the opening event, if the intake has a `per`. */
  readonly per: unknown
  /** Its key, if the intake has a `by`. */
  readonly key: unknown
  /** Number of events it has, by type. */
  readonly has: Readonly<Record<string, number>>
  /** Number of events it still needs, by type; for several types together, the key is `A or B`. */
  readonly needs: Readonly<Record<string, number>>
}

/** A question that a step has asked. */
export interface OpenQuestion {
  readonly step: string
  /** The event that it emitted. */
  readonly question: unknown
  /** The types of the answers that it waits for. */
  readonly awaits: ReadonlyArray<string>
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

export const questionInWords = ({ step, question, awaits }: OpenQuestion): string =>
  `step '${step}' asked ${show(question)}, and waits for ${awaits.join(" or ")}`

/** Maximum number of lines of one kind in a message. */
export const shown = 5
/** One line each for the first few; `more` is the number of others not in the list. */
export const listed = <A>(all: ReadonlyArray<A>, textOf: (one: A) => string, more = 0): string => {
  const lines = all.slice(0, shown).map((one) => `\n  - ${textOf(one)}`)
  const left = all.length + more - lines.length
  return lines.join("") + (left > 0 ? `\n  - and ${left} more` : "")
}
