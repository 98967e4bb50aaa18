// Finds passages by names instead of prose: headings, declared symbols and identifiers in code. `test clock` finds
// `TestClock`, and `retry` finds `Effect.retry`, even if the text hardly mentions them.
import type { Passage } from "../passages.ts"
import { inTurns } from "../turns.ts"
import { stemmedWords } from "../words.ts"

export const symbols = async (
  question: string,
  passages: ReadonlyArray<Passage>,
  signal?: AbortSignal
): Promise<ReadonlyArray<number>> => {
  const wanted = new Set(stemmedWords(question))
  const holders = new Map<string, number>()
  const named: Array<{ id: number; title: ReadonlySet<string>; mentioned: ReadonlySet<string> }> = []
  for await (const [id, passage] of inTurns(passages, signal)) {
    const title = new Set(stemmedWords(passage.title))
    const mentioned = new Set(stemmedWords((passage.text.match(identifier) ?? []).join(" ")))
    const has = [...wanted].filter((word) => title.has(word) || mentioned.has(word))
    for (const word of has) holders.set(word, (holders.get(word) ?? 0) + 1)
    if (has.length > 0) named.push({ id, title, mentioned })
  }

  const rarity = (word: string) => Math.log(1 + passages.length / (holders.get(word) ?? 1))
  return named
    .map(({ id, title, mentioned }) => {
      let score = 0
      for (const word of wanted) {
        // A short name counts more than a long one, and any name much more than a mention.
        if (title.has(word)) score += rarity(word) / Math.sqrt(title.size)
        else if (mentioned.has(word)) score += rarity(word) / 4
      }
      return { id, score }
    })
    .sort((a, b) => b.score - a.score)
    .map(({ id }) => id)
}

/** Matches `Schedule.exponential`, `withPermits` or `MAX_RETRIES`, but no plain words. */
const identifier = /\b(?:[A-Za-z_$][\w$]*\.[\w$.]+|[a-z]+[A-Z][\w$]*|[A-Z][a-z\d]+[A-Z][\w$]*|[A-Z\d]+_[A-Z\d_]+)\b/g
