// The demo's workflow: its events and its steps.
//
//   Question → find → File → read → Passages, Unreadable → index → Corpus ┬→ keyword → ByKeyword ┐
//                                                                         ├→ fuzzy   → ByFuzzy   ┼→ fuse → Answer
//                                                                         └→ symbols → BySymbol  ┘
import { join as pathTo } from "node:path"
import { Schema, SchemaTransformation } from "effect"
import { defineEvent, defineStep, gather, join, workflow } from "stepgraph"
import { findFiles, readText, whyNotSearchable, whyUnreadable } from "./files.ts"
import { onePerTitle, type Ranked, reciprocalRank } from "./fuse.ts"
import { type Passage, split } from "./passages.ts"
import { fuzzy } from "./retrievers/fuzzy.ts"
import { keyword } from "./retrievers/keyword.ts"
import { symbols } from "./retrievers/symbols.ts"

// ------------------------------------------------------------------------------------------------------------- events

// An event's fields are validated when it is made. Validating thousands of passages that this program just made is a
// waste, so their schema checks only for an array. A durable run stores them as JSON, by the full schema.
const passage = {
  file: Schema.String,
  line: Schema.Number,
  title: Schema.String,
  text: Schema.String,
  words: Schema.Array(Schema.String)
}
const ranked = { ...passage, ranks: Schema.Record(Schema.String, Schema.UndefinedOr(Schema.Number)) }
const trusted = <A>(items: Schema.Codec<ReadonlyArray<A>, unknown>) =>
  Schema.declare((value): value is ReadonlyArray<A> => Array.isArray(value), {
    toCodecJson: () => Schema.link<ReadonlyArray<A>>()(items, SchemaTransformation.passthrough())
  })
const PassageList = trusted<Passage>(Schema.Array(Schema.Struct(passage)))
const RankedList = trusted<Ranked>(Schema.Array(Schema.Struct(ranked)))
const Ranking = Schema.Array(Schema.Number)
const BadFile = Schema.Struct({ file: Schema.String, reason: Schema.String })

const Question = defineEvent("Question", {
  question: Schema.String,
  folder: Schema.String,
  patterns: Schema.Array(Schema.String)
})
const File = defineEvent("File", { folder: Schema.String, file: Schema.String })
const Passages = defineEvent("Passages", { passages: PassageList })
const Unreadable = defineEvent("Unreadable", BadFile.fields)
const Corpus = defineEvent("Corpus", {
  question: Schema.String,
  passages: PassageList,
  files: Schema.Number,
  unreadable: Schema.Array(BadFile)
})
const ByKeyword = defineEvent("ByKeyword", { ranking: Ranking })
const ByFuzzy = defineEvent("ByFuzzy", { ranking: Ranking })
const BySymbol = defineEvent("BySymbol", { ranking: Ranking })
const Answer = defineEvent("Answer", {
  ranked: RankedList,
  passages: Schema.Number,
  files: Schema.Number,
  unreadable: Schema.Array(BadFile)
})
const NoAnswer = defineEvent("NoAnswer", { reason: Schema.String, unreadable: Schema.Array(BadFile) })

// -------------------------------------------------------------------------------------------------------------- steps

const find = defineStep({
  accepts: Question,
  emits: [File, NoAnswer],
  // Each file is read as soon as it is found, while the search continues.
  run: async function* ({ folder, patterns }) {
    const reason = await whyNotSearchable(folder)
    if (reason) yield NoAnswer({ reason, unreadable: [] })
    else for await (const file of findFiles(folder, patterns)) yield File({ folder, file })
  }
})

const read = defineStep({
  accepts: File,
  emits: [Passages, Unreadable],
  workers: 8,
  run: async ({ folder, file }) => Passages({ passages: split(file, await readText(pathTo(folder, file))) }),
  // A bad file must not lose the others, so the failure becomes an event.
  recover: ({ cause }, { file }) => Unreadable({ file, reason: whyUnreadable(cause) })
})

const index = defineStep({
  // Runs once, when nothing more can come, with the files in order, whichever was read first.
  accepts: gather([Passages, Unreadable], { per: Question }),
  emits: [Corpus, NoAnswer],
  run: (files, { per: { question, folder } }) => {
    const passages = files.flatMap((file) => (file._tag === "Passages" ? file.passages : []))
    const unreadable = files.filter((file) => file._tag === "Unreadable")
    if (passages.length > 0) return Corpus({ question, passages, files: files.length - unreadable.length, unreadable })
    const missing = files.length === 0 ? "are no files" : "is no text"
    return NoAnswer({ reason: `There ${missing} to search in ${folder}.`, unreadable })
  }
})

// Corpus goes to all three of these, so they run side by side.
const byKeyword = defineStep({
  accepts: Corpus,
  emits: ByKeyword,
  run: async ({ question, passages }, { signal }) => ByKeyword({ ranking: await keyword(question, passages, signal) })
})
const byFuzzy = defineStep({
  accepts: Corpus,
  emits: ByFuzzy,
  run: async ({ question, passages }, { signal }) => ByFuzzy({ ranking: await fuzzy(question, passages, signal) })
})
const bySymbol = defineStep({
  accepts: Corpus,
  emits: BySymbol,
  run: async ({ question, passages }, { signal }) => BySymbol({ ranking: await symbols(question, passages, signal) })
})

const fuse = defineStep({
  // Runs when all four have come, and gets them in this order, whichever came last.
  accepts: join([Corpus, ByKeyword, ByFuzzy, BySymbol]),
  emits: [Answer, NoAnswer],
  run: ([{ question, passages, files, unreadable }, keyword, fuzzy, symbols]) => {
    const rankings = { keyword: keyword.ranking, fuzzy: fuzzy.ranking, symbols: symbols.ranking }
    const ranked = onePerTitle(reciprocalRank(passages, rankings))
    return ranked.length > 0
      ? Answer({ ranked, passages: passages.length, files, unreadable })
      : NoAnswer({ reason: `Nothing that was searched has to do with “${question}”.`, unreadable })
  }
})

export const search = workflow({
  name: "search",
  start: Question,
  stop: [Answer, NoAnswer],
  steps: { find, read, index, keyword: byKeyword, fuzzy: byFuzzy, symbols: bySymbol, fuse }
})
