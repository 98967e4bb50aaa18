/**
 * A self-contained HTML file that loads nothing.
 */
import { xml } from "./text.ts"
import { fonts, variables } from "./theme.ts"

const style =
  variables(":root") +
  `body{margin:0;padding:20px 24px;background:var(--sg-ground);color:var(--sg-text);font:14px/1.45 ${fonts}}` +
  "h1{font-size:18px;margin:0 0 4px}h2{font-size:15px;margin:18px 0 4px}p{margin:4px 0}" +
  ".soft{color:var(--sg-soft)}.bad{color:var(--sg-bad)}" +
  ".bar{display:flex;gap:10px;align-items:center;flex-wrap:wrap;margin:12px 0}" +
  "input,button,select{font:inherit;color:inherit;background:var(--sg-raised);border:1px solid var(--sg-line);border-radius:6px;padding:4px 10px}" +
  "input{min-width:280px}button{cursor:pointer}" +
  ":focus-visible{outline:2px solid var(--sg-step-line);outline-offset:1px}"

/** JSON that is safe inside a script element. */
export const json = (value: unknown): string =>
  JSON.stringify(value).replace(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`
  )

export interface Page {
  readonly title: string
  readonly style: string
  readonly body: string
  readonly data: unknown
  /** A function of the page's `document`, `window` and parts that uses nothing from outside its body. */
  readonly script: (document: any, window: any, parts: any) => void
  /** The functions that the script receives; they use nothing from outside either. */
  readonly parts?: Readonly<Record<string, Function>>
}

export const page = ({ title, style: more, body, data, script, parts = {} }: Page): string => {
  const given = Object.entries(parts).map(([name, part]) => `${name}: ${part}`)
  // Some compilers keep function names with a helper of this name.
  const code = `"use strict";const __name = (of) => of;(${script})(document, window, {${given.join(",\n")}})`
  return [
    "<!doctype html>",
    '<html lang="en">',
    "<head>",
    '<meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:">`,
    `<title>${xml(title)}</title>`,
    `<style>${style}${more}</style>`,
    "</head>",
    "<body>",
    body,
    `<script type="application/json" id="data">${json(data)}</script>`,
    `<script>${code}</script>`,
    "</body>",
    "</html>",
    ""
  ].join("\n")
}
