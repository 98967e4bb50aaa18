/**
 * Puts figures into docs/performance.md, between its marks, and keeps the prose around them.
 */

/** Replaces the text between `<!-- bench:NAME -->` and `<!-- /bench:NAME -->`. */
export const fill = (page: string, name: string, content: string): string => {
  const open = `<!-- bench:${name} -->`
  const close = `<!-- /bench:${name} -->`
  const from = page.indexOf(open)
  const to = page.indexOf(close)
  if (from < 0 || to < from) throw new Error(`the page has no place for '${name}'`)
  return `${page.slice(0, from + open.length)}\n${content}\n${page.slice(to)}`
}
