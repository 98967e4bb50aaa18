/** A terminal emulator: output becomes lines on a screen. */
import type { LiveStream } from "@stepgraph/viz"
import xterm from "@xterm/headless"

export interface Screen {
  readonly stream: LiveStream
  readonly write: (text: string) => void
  readonly resize: (columns: number, rows: number) => Promise<void>
  /** All lines from the first one written, without trailing blanks. */
  readonly lines: () => Promise<ReadonlyArray<string>>
}

export const screen = (columns = 100, rows = 24): Screen => {
  // The operating system normally translates line ends; here nothing does.
  const terminal = new xterm.Terminal({ cols: columns, rows, allowProposedApi: true, convertEol: true })
  const stream: LiveStream = {
    isTTY: true,
    get columns() {
      return terminal.cols
    },
    get rows() {
      return terminal.rows
    },
    write: (text) => {
      terminal.write(text)
      return true
    }
  }
  const written = () => new Promise<void>((resolve) => terminal.write("", resolve))
  return {
    stream,
    write: (text) => terminal.write(text),
    resize: async (columns, rows) => {
      await written()
      terminal.resize(columns, rows)
    },
    lines: async () => {
      await written()
      const { active } = terminal.buffer
      const lines = Array.from({ length: active.length }, (_, i) =>
        active.getLine(i)!.translateToString(true).trimEnd()
      )
      return lines.slice(0, lines.findLastIndex((line) => line !== "") + 1)
    }
  }
}
