/** How Markdown that is written for GitHub becomes pages: its links, its diagrams, and what they share with the README. */
import { renderMermaidSVG } from "beautiful-mermaid"
import type { MarkdownRenderer } from "vitepress"
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

/** The first block of a language in the README. */
const fromReadme = (language: string): string =>
  new RegExp(`^\`\`\`${language}\\n[\\s\\S]*?^\`\`\`$`, "m").exec(read("README.md"))![0]

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
        // Vite takes a path without a dot for a package.
        if (token.type.startsWith("html_"))
          token.content = token.content.replace(/ (src|srcset)="(?=\w[^:"]*")/g, ' $1="./')
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
    tokens[at]!.info = info.trim().split(" ")[0]!
    return fence(tokens, at, ...rest)
  }
}
