/**
 * Text for a terminal.
 */

export interface TextOptions {
  /** Number of columns. Default: 100. */
  readonly width?: number | undefined
  /** Whether to use colours. */
  readonly colour?: boolean | undefined
}

export const textOptionNames = ["width", "colour"] satisfies ReadonlyArray<keyof TextOptions>

const codes = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, blue: 34, magenta: 35 } as const
export type Paint = (style: keyof typeof codes, text: string) => string

export const painter =
  (colour: boolean): Paint =>
  (style, text) => {
    if (!colour || text === "") return text
    return `\u001b[${codes[style]}m${text}\u001b[${style === "bold" || style === "dim" ? 22 : 39}m`
  }

/** Whether a stream shows colours. A terminal knows its abilities and respects `NO_COLOR`. */
export const hasColour = (stream: { hasColors?(): boolean }): boolean => {
  // Browsers have no `process`.
  const forced = globalThis.process?.env.FORCE_COLOR
  if (forced !== undefined) return forced !== "0" && forced !== "false"
  return stream.hasColors?.() ?? false
}

/**
 * The width and colours of a stream such as `process.stdout`, for {@link toText}.
 *
 * @example
 * ```ts
 * import { textOptions } from "@stepgraph/viz"
 *
 * console.log(textOptions({ columns: 72 })) // => { width: 72, colour: false }
 * ```
 */
export const textOptions = (stream: { readonly columns?: number; hasColors?(): boolean }): TextOptions => ({
  width: stream.columns || 100,
  colour: hasColour(stream)
})

const none = /[\p{Mn}\p{Me}\p{Cf}]/u
const two =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}/u

const columnsOfCharacter = (character: string): number => (none.test(character) ? 0 : two.test(character) ? 2 : 1)

/** The display width of a line without control characters. */
export const columnsOf = (line: string): number => {
  // Hot when a program prints a lot: most text is plain ASCII.
  if (/^[\u0020-\u02ff]*$/.test(line)) return line.length
  let columns = 0
  for (const character of line) columns += columnsOfCharacter(character)
  return columns
}

/** Pads or truncates a line to an exact width. */
export const fitted = (line: string, columns: number): string => {
  if (columns < 1) return ""
  const taken = columnsOf(line)
  if (taken <= columns) return line + " ".repeat(columns - taken)
  let kept = ""
  let room = columns - 1
  for (const character of line) {
    room -= columnsOfCharacter(character)
    if (room < 0) break
    kept += character
  }
  return fitted(`${kept}…`, columns)
}
