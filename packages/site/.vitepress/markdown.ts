/** How Markdown that is written for GitHub becomes pages: its links, its diagrams, and what they share with the README. */
import { deflateRawSync } from "node:zlib"
import { renderMermaidSVG } from "beautiful-mermaid"
import type { MarkdownRenderer } from "vitepress"
import { isProvided } from "../playground/provided.ts"
import { inRepository, linkFrom, pages, read } from "./repository.ts"

/** The anchor that GitHub gives a heading. */
export const slugify = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}_ -]/gu, "")
    .replaceAll(" ", "-")

const escaped = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;")

// The renderer takes brackets inside quotes for the end of a node.
const hidden: Readonly<Record<string, string>> = { "[": "\ue000", "]": "\ue001", "(": "\ue002", ")": "\ue003" }
const shown = Object.fromEntries(Object.entries(hidden).map(([bracket, mark]) => [mark, bracket]))

let diagrams = 0

/** A Mermaid diagram as SVG, in the colours of the site. */
export const diagram = (source: string): string => {
  const [, title = "Diagram"] = /^\s*accTitle: (.*)$/m.exec(source) ?? []
  const plain = source
    .replace(/^\s*acc(Title|Descr): .*$/gm, "")
    .replace(/"[^"\n]*"/g, (label) => label.replace(/[[\]()]/g, (bracket) => hidden[bracket]!))
  const id = `diagram-${diagrams++}-`
  return renderMermaidSVG(plain, { transparent: true })
    .replace(/[\ue000-\ue003]/g, (mark) => shown[mark]!)
    .replace(/@import[^;]*(?:'[^']*'[^;]*)*;/, "")
    .replace(/<svg ([^>]*?) style="[^"]*"/, `<svg role="img" class="diagram" aria-label="${escaped(title)}" $1`)
    .replace(/ (?:width|height)="[\d.]+"(?=[^>]*>\s*<style>)/g, "")
    .replace(/\bid="/g, `id="${id}`)
    .replace(/url\(#/g, `url(#${id}`)
    .replace(/font-family: 'Inter', /g, "font-family: ")
    .replace(/<style>[\s\S]*?<\/style>\s*/, "")
}

/** A link that opens a program in the playground; nothing for what is not a program, or needs more than is there. */
const trial = (program: string): string => {
  const imported = [...program.matchAll(/ from "(.+)"/g)].map(([, name]) => name!)
  if (!imported.includes("stepgraph") || !imported.every(isProvided) || /\bprocess\./.test(program)) return ""
  const code = deflateRawSync(program.trim()).toString("base64url")
  return `<p class="trial"><a href="${process.env.SITE_BASE ?? "/"}playground.html#code=${code}" target="_self">Try it</a></p>\n`
}

/** The first block of a language in the README. */
const fromReadme = (language: string): string =>
  new RegExp(`^\`\`\`${language}\\n[\\s\\S]*?^\`\`\`$`, "m").exec(read("README.md"))![0]

/** Pictures in HTML: in the scheme that the reader chose, which may not be the system's. */
const pictures = (html: string): string =>
  html
    .replace(
      /<picture>\s*<source media="\(prefers-color-scheme: dark\)" srcset="([^"]*)">\s*<img ([^>]*)src="([^"]*)"([^>]*)>\s*<\/picture>/g,
      (_, dark: string, before: string, light: string, after: string) =>
        [light, dark]
          .map(
            (src, at) =>
              `<img class="${at === 0 ? "in-light" : "in-dark"}" loading="lazy" ${before}src="${src}"${after}>`
          )
          .join("")
    )
    // Vite takes a path without a dot for a package.
    .replace(/ (src|srcset)="(?=\w[^:"]*")/g, ' $1="./')

export const configure = (md: MarkdownRenderer): void => {
  const known = pages()
  const sources = new Map([...known].map(([file, page]) => [page, file]))

  md.core.ruler.before("normalize", "readme", (state) => {
    state.src = state.src.replace(/^<!-- README: (\w+) -->$/gm, (_, language: string) => fromReadme(language))
  })

  md.core.ruler.after("inline", "links", (state) => {
    // The title of a page is rendered alone.
    if (state.env.path === undefined) return
    // For VitePress a file is where its page will be, except in the search.
    const path = inRepository(state.env.path)
    const file = known.has(path) ? path : (sources.get(path) ?? path)
    for (const block of state.tokens) {
      for (const token of [block, ...(block.children ?? [])]) {
        if (token.type.startsWith("html_")) token.content = pictures(token.content)
        const href = token.type === "link_open" ? token.attrGet("href") : null
        if (href !== null) token.attrSet("href", linkFrom(file, href, known))
      }
    }
  })

  const fence = md.renderer.rules.fence!
  md.renderer.rules.fence = (tokens, at, ...rest) => {
    const { info, content } = tokens[at]!
    if (info.trim() === "mermaid") return `<figure class="diagram" v-pre>${diagram(content)}</figure>\n`
    // What follows the language is for the tests of the documentation.
    const [language, ...notes] = info.trim().split(" ")
    tokens[at]!.info = language!
    return fence(tokens, at, ...rest) + (language === "ts" && !notes.includes("no-run") ? trial(content) : "")
  }
}
