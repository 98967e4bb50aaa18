/** Which files of the repository are pages of the site, under which paths, and how links between them are followed. */
import { existsSync, globSync, readFileSync, statSync } from "node:fs"
import { dirname, join, posix, relative } from "node:path"

export const root = join(import.meta.dirname, "../../..")
export const read = (file: string): string => readFileSync(join(root, file), "utf8")

/** Where the repository is read, for links to what is not a page. */
export const repository: string = JSON.parse(read("packages/stepgraph/package.json"))
  .repository.url.replace(/^git\+/, "")
  .replace(/\.git$/, "")

const files = (pattern: string): ReadonlyArray<string> =>
  globSync(pattern, { cwd: root, exclude: ["**/node_modules/**"] })
    .map((file) => file.replaceAll("\\", "/"))
    .sort()

/** The paths of all pages, by their files. */
export const pages = (): ReadonlyMap<string, string> =>
  new Map(
    [
      ...files("docs/**/*.md"),
      ...files("packages/*/README.md"),
      ...files("packages/site/pages/*.md"),
      ...files("packages/site/reference/**/*.md")
    ].map((file) => [file, file.replace(/^packages\/site\/(pages\/)?/, "").replace(/README\.md$/, "index.md")])
  )

export const titleOf = (file: string): string => /^# (.+)$/m.exec(read(file))![1]!.replaceAll("`", "")

/** Splits a target into a file and the rest: a part of the page. */
const parts = (target: string): readonly [file: string, rest: string] => {
  const at = target.search(/[#?]/)
  return at === -1 ? [target, ""] : [target.slice(0, at), target.slice(at)]
}

/**
 * Where a link in a file of the repository leads on the site: to the page of that file, or to the repository if it is not a
 * page. What is not there stays as it is, so that the build complains.
 */
export const linkFrom = (file: string, target: string, known: ReadonlyMap<string, string>): string => {
  if (/^([a-z]+:|#|\/)/i.test(target)) return target
  const [path, rest] = parts(target)
  const wanted = posix.normalize(posix.join(posix.dirname(file), decodeURI(path))).replace(/\/$/, "")
  const page = known.get(wanted) ?? known.get(`${wanted}/README.md`)
  if (page !== undefined) return `/${page}${rest}`
  if (!existsSync(join(root, wanted))) return target
  return `${repository}/${statSync(join(root, wanted)).isDirectory() ? "tree" : "blob"}/main/${wanted}${rest}`
}

/** The path of a file in the repository, with `/`. */
export const inRepository = (path: string): string => relative(root, path).replaceAll("\\", "/")

interface Group {
  readonly title: string
  readonly pages: ReadonlyArray<{ readonly title: string; readonly file: string; readonly task: string }>
}

/** The tables of `docs/README.md`: the pages for each kind of task. */
export const tasks = (): ReadonlyArray<Group> =>
  read("docs/README.md")
    .split(/^## /m)
    .slice(1)
    .map((part) => ({
      title: part.split("\n")[0]!,
      pages: [...part.matchAll(/^\| (.+) \| \[(.+)\]\((.+)\) \|$/gm)].map(([, task, title, file]) => {
        return { title: title!, file: posix.join("docs", file!), task: task! }
      })
    }))
    .filter(({ pages }) => pages.length > 0)

/** The published packages that have a page. */
export const packages = (): ReadonlyArray<{ readonly name: string; readonly file: string }> =>
  files("packages/*/README.md")
    .map((file) => ({ file, manifest: JSON.parse(read(join(dirname(file), "package.json"))) }))
    .filter(({ manifest }) => manifest.private !== true)
    .map(({ file, manifest }) => ({ file, name: manifest.name as string }))
