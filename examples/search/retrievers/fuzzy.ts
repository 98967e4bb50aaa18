// Finds passages despite misspellings: a word of the question matches all similar words of the corpus.
import Fuse from "fuse.js"
import type { Passage } from "../passages.ts"
import { inTurns } from "../turns.ts"
import { plainWords } from "../words.ts"

export const fuzzy = async (
  question: string,
  passages: ReadonlyArray<Passage>,
  signal?: AbortSignal
): Promise<ReadonlyArray<number>> => {
  const holders = new Map<string, Array<number>>()
  const sizes: Array<number> = []
  for await (const [id, { title, words }] of inTurns(passages, signal)) {
    const own = new Set([...plainWords(title), ...words])
    sizes.push(own.size)
    for (const word of own) {
      const known = holders.get(word)
      if (known) known.push(id)
      else holders.set(word, [id])
    }
  }

  const vocabulary = new Fuse([...holders.keys()], { includeScore: true, threshold: 0.34, distance: 10 })
  const scores = new Map<number, number>()
  for await (const [, word] of inTurns([...new Set(plainWords(question))], signal)) {
    // Each passage's score for this word: its most similar word counts, and rare words count more.
    const best = new Map<number, number>()
    for (const { item, score = 1 } of vocabulary.search(word)) {
      const found = holders.get(item) ?? []
      const weight = (1 - score) * lengthLikeness(word, item) * Math.log(1 + passages.length / found.length)
      for (const id of found) best.set(id, Math.max(best.get(id) ?? 0, weight))
    }
    for (const [id, weight] of best) scores.set(id, (scores.get(id) ?? 0) + weight)
  }
  // Matches in a short passage count more than in a long one.
  return [...scores]
    .map(([id, score]) => ({ id, score: score / Math.log(10 + (sizes[id] ?? 0)) }))
    .sort((a, b) => b.score - a.score)
    .map(({ id }) => id)
}

const lengthLikeness = (a: string, b: string) => Math.min(a.length, b.length) / Math.max(a.length, b.length)
