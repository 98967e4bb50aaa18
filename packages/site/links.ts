/** Where the links of a built site lead. */
import { existsSync, globSync, readFileSync, statSync } from "node:fs"
import { join, posix } from "node:path"

export interface Lost {
  readonly page: string
  readonly target: string
  readonly why: string
}

const unescaped = (text: string): string =>
  text.replace(
    /&(amp|lt|gt|quot|#39);/g,
    (_, name: string) => ({ amp: "&", lt: "<", gt: ">", quot: '"', "#39": "'" })[name]!
  )

const attributes = (html: string, ...names: ReadonlyArray<string>): ReadonlyArray<string> => {
  // Code shows tags, too, but with `<` written as `&lt;`. A script has only code.
  const tags = html.replace(/<script\b[^>]*>[\s\S]*?<\/script>/g, "").match(/<[a-z][^>]*>/gi) ?? []
  const wanted = new RegExp(`\\s(?:${names.join("|")})="([^"]*)"`, "g")
  return tags.flatMap((tag) => [...tag.matchAll(wanted)].map(([, value]) => unescaped(value!)))
}

/** Follows each link of each page in a folder, parts of pages too; those that leave the site are listed. */
export const lostLinks = (
  folder: string,
  base: string
): { readonly lost: ReadonlyArray<Lost>; readonly elsewhere: ReadonlyArray<string>; readonly count: number } => {
  const pages = globSync("**/*.html", { cwd: folder }).map((file) => file.replaceAll("\\", "/"))
  const texts = new Map(pages.map((page) => [page, readFileSync(join(folder, page), "utf8")]))
  const ids = new Map([...texts].map(([page, html]) => [page, new Set(attributes(html, "id"))]))
  const elsewhere = new Set<string>()
  const lost: Array<Lost> = []
  let count = 0
  for (const [page, html] of texts) {
    for (const target of new Set(attributes(html, "href", "src"))) {
      if (/^(data|mailto):/.test(target) || target === "#") continue
      const { protocol, host, pathname, hash } = new URL(target, `site://host${posix.join(base, page)}`)
      if (protocol !== "site:" || host !== "host") {
        elsewhere.add(target)
        continue
      }
      count++
      const path = decodeURI(pathname)
      if (!path.startsWith(base)) {
        lost.push({ page, target, why: `it leaves ${base}` })
        continue
      }
      const file = path.slice(base.length)
      const found = [file, posix.join(file, "index.html")].find((name) => {
        return existsSync(join(folder, name)) && statSync(join(folder, name)).isFile()
      })
      if (found === undefined) lost.push({ page, target, why: "nothing is there" })
      // A program for the playground is no part of its page.
      else if (
        hash !== "" &&
        !hash.startsWith("#code=") &&
        ids.get(found)?.has(decodeURIComponent(hash.slice(1))) !== true
      ) {
        lost.push({ page, target, why: "the page has no such part" })
      }
    }
  }
  return { lost, elsewhere: [...elsewhere].sort(), count }
}
