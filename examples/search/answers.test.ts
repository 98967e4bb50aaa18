// Real questions about the documentation that Effect ships, to check that the demo's answers help.

import { join } from "node:path"
import { beforeAll, describe, expect, it } from "@effect/vitest"
import { shipped } from "./arguments.ts"
import { findFiles, readText } from "./files.ts"
import { onePerTitle, reciprocalRank } from "./fuse.ts"
import { type Passage, split } from "./passages.ts"
import { fuzzy } from "./retrievers/fuzzy.ts"
import { keyword } from "./retrievers/keyword.ts"
import { symbols } from "./retrievers/symbols.ts"

const passages: Array<Passage> = []

beforeAll(async () => {
  const { folder, patterns } = shipped
  for await (const file of findFiles(folder, patterns))
    passages.push(...split(file, await readText(join(folder, file))))
})

describe("the first three answers", () => {
  const questions: ReadonlyArray<[string, string]> = [
    ["retry with exponential backoff", "Schedule.exponential"],
    ["exponetial bakoff", "Schedule.exponential"],
    ["how do I test with a virtual clock", "TestClock"]
  ]
  for (const [question, title] of questions) {
    it(`to “${question}” have ${title} among them`, async () => {
      const ranked = reciprocalRank(passages, {
        keyword: await keyword(question, passages),
        fuzzy: await fuzzy(question, passages),
        symbols: await symbols(question, passages)
      })
      expect(
        onePerTitle(ranked)
          .slice(0, 3)
          .map(({ title }) => title)
      ).toContain(title)
    })
  }
})
