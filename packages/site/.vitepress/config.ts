import { readFileSync } from "node:fs"
import { join, posix } from "node:path"
import { type DefaultTheme, defineConfig } from "vitepress"
import { bundle } from "../playground/bundle.ts"
import { configure, slugify } from "./markdown.ts"
import { packages, pages, read, repository, root, tasks, titleOf } from "./repository.ts"
import { miniSearch } from "./search.ts"

const known = pages()
const linkTo = (file: string): string =>
  `/${known
    .get(file)!
    .replace(/(?<=^|\/)index\.md$/, "")
    .replace(/\.md$/, "")}`

const taskOf = new Map(tasks().flatMap(({ pages }) => pages.map(({ file, task }) => [file, task])))

const guide = (): Array<DefaultTheme.SidebarItem> => [
  ...tasks().map(({ title, pages }) => ({
    text: title,
    items: pages.map(({ title, file }) => ({ text: title, link: linkTo(file) }))
  })),
  { text: "Packages", items: packages().map(({ name, file }) => ({ text: name, link: linkTo(file) })) }
]

const kinds = ["functions", "classes", "interfaces", "type-aliases", "variables"]

/** One list for each module: with the members of all, each page would carry hundreds of links. */
const reference = (): DefaultTheme.SidebarMulti => {
  const files = [...known.keys()].filter((file) => file.startsWith("packages/site/reference/"))
  const modules = files
    .filter((file) => file.endsWith("/index.md") && file !== "packages/site/reference/index.md")
    // The core comes first, each package before its parts.
    .sort(
      (one, other) =>
        Number(one.includes("/@")) - Number(other.includes("/@")) || (titleOf(one) < titleOf(other) ? -1 : 1)
    )
  const listed = (open: string | undefined): Array<DefaultTheme.SidebarItem> =>
    modules.map((file) => {
      const entry = { text: titleOf(file), link: linkTo(file) }
      if (file !== open) return entry
      const members = kinds.map((kind) => ({
        text: kind.replace("-", " "),
        items: files
          .filter((member) => posix.dirname(member) === `${posix.dirname(file)}/${kind}`)
          .map((member) => ({ text: posix.basename(member, ".md"), link: linkTo(member) }))
      }))
      return { ...entry, items: members.filter(({ items }) => items.length > 0) }
    })
  return Object.fromEntries(
    [undefined, ...modules].map((file) => [file === undefined ? "/reference/" : linkTo(file), listed(file)])
  )
}

export default defineConfig({
  lang: "en",
  title: "stepgraph",
  description: JSON.parse(read("packages/stepgraph/package.json")).description,
  base: process.env.SITE_BASE ?? "/",
  srcDir: root,
  srcExclude: [
    "*.md",
    "!(docs|packages)/**",
    "packages/!(site)/!(README.md)",
    "packages/!(site)/*/**",
    "packages/site/!(pages|reference)/**",
    "**/node_modules/**"
  ],
  rewrites: (file) => known.get(file) ?? file,
  outDir: "dist",
  cacheDir: ".vitepress/cache",
  // Else each page repeats the lists of all.
  metaChunk: true,
  vite: {
    publicDir: join(import.meta.dirname, "../public"),
    // Else the server that shows the site looks for imports in every page of HTML in the repository.
    optimizeDeps: { entries: ["packages/site/playground/mount.tsx"] },
    esbuild: { jsx: "automatic", jsxImportSource: "preact" },
    plugins: [
      {
        name: "stepgraph:playground",
        resolveId: (id) => (id === "virtual:playground-runtime" ? `\0${id}` : null),
        load: async (id) =>
          id === "\0virtual:playground-runtime" ? `export default ${JSON.stringify(await bundle())}` : null
      },
      {
        name: "stepgraph:vue",
        enforce: "pre",
        // The pages of docs/ become components, and there is no Vue where they are.
        resolveId(id, importer) {
          if (!/^vue($|\/)/.test(id) || importer === undefined || !importer.includes(".md")) return null
          return this.resolve(id, join(import.meta.dirname, "config.ts"), { skipSelf: true })
        }
      }
    ]
  },
  markdown: {
    anchor: { slugify },
    theme: { light: "github-light", dark: "github-dark" },
    config: configure
  },
  transformPageData: (page) => {
    if (page.relativePath.startsWith("reference/")) page.frontmatter.pageClass = "reference"
  },
  head: [["link", { rel: "icon", type: "image/svg+xml", href: `${process.env.SITE_BASE ?? "/"}icon.svg` }]],
  themeConfig: {
    logo: "/icon.svg",
    nav: [
      { text: "Guide", link: "/docs/getting-started", activeMatch: "^/(docs|packages)/" },
      { text: "Playground", link: "/playground" },
      { text: "API", link: "/reference/", activeMatch: "^/reference/" }
    ],
    sidebar: { "/docs/": guide(), "/packages/": guide(), ...reference() },
    outline: { level: [2, 3] },
    // Given as SVG: VitePress would ask another host for it while it shows the site.
    socialLinks: [
      {
        icon: { svg: readFileSync(join(import.meta.dirname, "github.svg"), "utf8") },
        link: repository,
        ariaLabel: "GitHub"
      }
    ],
    search: {
      provider: "local",
      options: {
        miniSearch,
        // Of the reference, what something is, and not each of its fields.
        _render(source, env, md) {
          const html = md.render(source, env).replace(/<p class="trial">.*?<\/p>/g, "")
          if (env.frontmatter?.search === false) return ""
          if (env.relativePath.startsWith("packages/site/reference/")) return html.split("<h2")[0]!
          // What people look for who need the page, in their words.
          return html.replace("</h1>", `</h1><p>${taskOf.get(env.relativePath) ?? ""}</p>`)
        }
      }
    },
    externalLinkIcon: false
  }
})
