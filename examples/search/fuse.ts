// Reciprocal rank fusion (Cormack, Clarke, Büttcher 2009): a passage that several retrievers rank high comes first.
// Only ranks are used, so retrievers whose scores cannot be compared can vote together.
import type { Passage } from "./passages.ts"

/** A passage and its rank in each retriever's list, counted from 1. */
export interface Ranked extends Passage {
  readonly ranks: Readonly<Record<string, number | undefined>>
}

/** Dampens the lead of the first ranks. The paper's 60 suits lists of a thousand; ours are short. */
const flatness = 15

/** Lower ranks do not count as matches. */
const deepest = 30

/** The passages of all named rankings, best first. */
export const reciprocalRank = (
  passages: ReadonlyArray<Passage>,
  rankings: Readonly<Record<string, ReadonlyArray<number>>>
): ReadonlyArray<Ranked> => {
  const names = Object.keys(rankings)
  const ranksOf = new Map<number, Record<string, number | undefined>>()
  for (const name of names) {
    for (const [index, id] of (rankings[name] ?? []).slice(0, deepest).entries()) {
      const ranks = ranksOf.get(id) ?? Object.fromEntries(names.map((name) => [name, undefined]))
      ranks[name] = index + 1
      ranksOf.set(id, ranks)
    }
  }
  const score = (ranks: Readonly<Record<string, number | undefined>>) =>
    Object.values(ranks).reduce<number>((sum, rank) => sum + (rank === undefined ? 0 : 1 / (flatness + rank)), 0)
  return [...ranksOf]
    .sort(([a, ranks], [b, others]) => score(others) - score(ranks) || a - b)
    .flatMap(([id, ranks]) => {
      const passage = passages[id]
      return passage ? [{ ...passage, ranks }] : []
    })
}

/** Keeps only the best passage per file and heading; the others are visible next to it. */
export const onePerTitle = (ranked: ReadonlyArray<Ranked>): ReadonlyArray<Ranked> => {
  const seen = new Set<string>()
  return ranked.filter(({ file, title }) => {
    const place = JSON.stringify([file, title])
    return !seen.has(place) && seen.add(place)
  })
}
