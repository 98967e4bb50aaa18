/**
 * Updates the figures in docs/performance.md between their marks, and keeps the prose.
 */

/** Replaces the text between `<!-- bench:NAME -->` and `<!-- /bench:NAME -->`. */
export const fill = (page: string, name: string, content: string): string => {
  const open = `<!-- bench:${name} -->`
  const close = `<!-- /bench:${name} -->`
  const from = page.indexOf(open)
  const to = page.indexOf(close)
  if (from < 0 || to < from) throw new Error(`the page has no <!-- bench:${name} --> marks`)
  return `${page.slice(0, from + open.length)}\n${content}\n${page.slice(to)}`
}
