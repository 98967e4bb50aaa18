/**
 * How the search reads a question. The functions are sent to the browser as text, so each stands alone.
 */

/** Leaves out words that say nothing, and makes one word of its forms. */
export const processTerm = (term: string): string | null => {
  const word = term.toLowerCase().replace(/['’`]s?$/, "")
  const empty =
    "a an and are as at be but by can could do does for from get had has have how i if in into is it its me my of on one or s should so some than that the their them then there they this to use used using want was we what when where which while who why will with would you your"
  if (word === "" || empty.split(" ").includes(word)) return null
  if (word.length > 6 && word.endsWith("ing")) return word.slice(0, -3)
  if (word.length > 4 && word.endsWith("ies")) return `${word.slice(0, -3)}y`
  if (word.length > 3 && /[^su]s$/.test(word) && word !== "times") return word.slice(0, -1)
  return word
}

/** The guides come first; what compares, promises or lists everything comes after them. */
export const boostDocument = (id: string): number => {
  if (id.includes("/reference/")) return 0.1
  if (/\/docs\/(coming-from\/|semantics|durable-performance|#|$)/.test(id)) return 0.25
  if (id.includes("/troubleshooting")) return 1.15
  return id.includes("/packages/") ? 0.6 : 1
}

/** A typing error in a short word makes another word of it. */
export const fuzzy = (term: string): number | false => (term.length > 5 ? 0.2 : false)

export const miniSearch = {
  options: { processTerm },
  searchOptions: {
    fuzzy,
    weights: { fuzzy: 0.3, prefix: 0.2 },
    prefix: true,
    boost: { title: 3, titles: 1.5, text: 1 },
    boostDocument
  }
}
