/**
 * Text for a terminal.
 */

export interface TextOptions {
  /** How many columns there are; 100 when left out. */
  readonly width?: number
  /** Whether to colour it, as a terminal does. */
  readonly colour?: boolean
}

const codes = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, blue: 34, magenta: 35 } as const
export type Paint = (style: keyof typeof codes, text: string) => string

export const painter =
  (colour: boolean): Paint =>
  (style, text) => {
    if (!colour || text === "") return text
    return `\u001b[${codes[style]}m${text}\u001b[${style === "bold" || style === "dim" ? 22 : 39}m`
  }
