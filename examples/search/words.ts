// Normalises words for the retrievers: lower case, no stop words, stems only.
import { stemmer } from "stemmer"

const little = new Set(
  (
    "a about all an and any are as at be been but by can could did do does for from get had has have how i if in into is " +
    "it its may me my no not of on one or our out should so some than that the their them then there these they this to " +
    "use used using was way we what when where which who why will with without would you your"
  ).split(" ")
)

/** `withPermits` also yields `with` and `permits`; `HTTPServer` yields `HTTP` and `Server`. */
export const parts = (word: string): ReadonlyArray<string> =>
  word.split(/_|\$|(?<=[a-z\d])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])/).filter(Boolean)

export const plainWords = (text: string): ReadonlyArray<string> =>
  (text.match(/[\p{L}\p{N}_$]+/gu) ?? [])
    .flatMap(parts)
    .map((word) => word.toLowerCase())
    .filter((word) => word.length > 1 && !little.has(word))

const stems = new Map<string, string>()

/** Concurrent, concurrently and concurrency all become `concurr`. */
export const stem = (word: string): string => {
  const known = stems.get(word)
  if (known !== undefined) return known
  const made = stemmer(word)
  stems.set(word, made)
  return made
}

export const stemmedWords = (text: string): ReadonlyArray<string> => plainWords(text).map(stem)
