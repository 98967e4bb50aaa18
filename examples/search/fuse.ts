// Reciprocal rank fusion (Cormack, Clarke, Büttcher 2009): a passage that several retrievers rank high comes first.
// Only ranks are used, so retrievers whose scores cannot be compared can vote together.

/** How little the first ranks stand out. The paper's 60 is for lists of a thousand; ours are short. */
const flatness = 15

export interface Fused {
  readonly id: number
  readonly score: number
  /** Its rank in each list, counted from 1. */
  readonly ranks: ReadonlyArray<number | undefined>
}

export const reciprocalRank = (rankings: ReadonlyArray<ReadonlyArray<number>>): ReadonlyArray<Fused> => {
  const ranks = new Map<number, Array<number | undefined>>()
  for (const [list, ranking] of rankings.entries()) {
    for (const [index, id] of ranking.entries()) {
      if (!ranks.has(id))
        ranks.set(
          id,
          rankings.map(() => undefined)
        )
      const found = ranks.get(id)
      if (found) found[list] ??= index + 1
    }
  }
  return [...ranks]
    .map(([id, found]) => ({
      id,
      ranks: found,
      score: found.reduce<number>((sum, rank) => sum + (rank ? 1 / (flatness + rank) : 0), 0)
    }))
    .sort((a, b) => b.score - a.score || a.id - b.id)
}
