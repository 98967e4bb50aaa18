// Finds passages that use the question's words: BM25 over word stems. It matches `bounded` with `bound`, but not
// `bakoff` with `backoff`.
import MiniSearch from "minisearch"
import type { Passage } from "../passages.ts"
import { inTurns } from "../turns.ts"
import { plainWords, stem } from "../words.ts"

export const keyword = async (
  question: string,
  passages: ReadonlyArray<Passage>,
  signal?: AbortSignal
): Promise<ReadonlyArray<number>> => {
  const index = new MiniSearch({
    fields: ["text"],
    tokenize: (text) => text.split(" "),
    processTerm: stem
  })
  for await (const [id, { words }] of inTurns(passages, signal)) index.add({ id, text: words.join(" ") })
  return index.search(plainWords(question).join(" ")).map(({ id }) => id)
}
