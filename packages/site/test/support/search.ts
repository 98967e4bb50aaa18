/** The search of the built site, as its page sets it up. */
import { globSync } from "node:fs"
import { join } from "node:path"
import MiniSearch from "minisearch"
import { miniSearch } from "../../.vitepress/search.ts"

export const dist = join(import.meta.dirname, "../../dist")

export const openSearch = async (): Promise<(words: string) => ReadonlyArray<string>> => {
  const [file] = globSync("assets/chunks/@localSearchIndexroot.*.js", { cwd: dist })
  const { default: index } = await import(join(dist, file!))
  const search = MiniSearch.loadJSON(index, {
    fields: ["title", "titles", "text"],
    storeFields: ["title", "titles"],
    ...miniSearch.options,
    searchOptions: miniSearch.searchOptions
  })
  return (words) => search.search(words).map(({ id }) => String(id).replace(/^\//, ""))
}
