/**
 * How the search reads a question. The functions are sent to the browser as text, so each stands alone.
 */

/** Leaves out words that say nothing, and makes one word of its forms. */
export const processTerm = (term: string): string | null => {
  const word = term.toLowerCase().replace(/['’`]s?$/, "")
  const empty =
    "a an and are as at be but by can could do does for from get had has have how i if in into is it its me my of on one or s should so some than that the their them then there they this to use used using want was we what when where which while who why will with would you your"
  if (word === "" || empty.split(" ").includes(word)) return null
  if (word.length > 4 && word.endsWith("ies")) return `${word.slice(0, -3)}y`
  if (word.length > 3 && /[^su]s$/.test(word)) return word.slice(0, -1)
  return word
}

/** Guides come before the reference, which has every name. */
export const boostDocument = (id: string): number => (id.includes("/reference/") ? 0.2 : 1)

export const miniSearch = {
  options: { processTerm },
  searchOptions: { fuzzy: 0.15, prefix: true, boost: { title: 4, text: 1, titles: 2 }, boostDocument }
}
