/**
 * The bottom of a terminal: live views stack there, and other output goes above them.
 */
import stripAnsi from "strip-ansi"
import { columnsOf } from "./terminal.ts"

/** The output stream of a live view: `process.stderr`, or a stream like it. */
export interface LiveStream {
  readonly isTTY?: boolean
  readonly columns?: number
  readonly rows?: number
  hasColors?(): boolean
  write(text: string, ...rest: Array<any>): boolean
}

/** A view's lines for a terminal of so many columns, and at most so many lines. */
export type View = (columns: number, rows: number) => ReadonlyArray<string>

/** Redrawing a view after each line would slow down a program that prints a lot, so wait between redraws. */
const restMillis = 5

export class Screen {
  private readonly stream: LiveStream
  private readonly together: ReadonlyArray<LiveStream>
  private readonly views = new Set<View>()
  /** The lines on the screen now. */
  private shown: ReadonlyArray<string> = []
  /** The column in which other output left the cursor. */
  private column = 0
  private drawnAt = 0
  private soon: ReturnType<typeof setTimeout> | undefined
  private write: (text: string) => void = () => {}
  private release: () => void = () => {}

  constructor(stream: LiveStream, together: ReadonlyArray<LiveStream>) {
    this.stream = stream
    this.together = together
  }

  add(view: View): void {
    if (this.views.size === 0) this.listen()
    this.views.add(view)
  }

  /** Removes a view and leaves its last lines in place. */
  remove(view: View, last: ReadonlyArray<string>): void {
    if (!this.views.delete(view)) return
    const text = this.over(last)
    this.column = 0
    this.shown = []
    this.write(`${text}${this.views.size === 0 ? "" : this.over(this.lines())}`)
    if (this.views.size === 0) this.release()
  }

  draw(): void {
    this.write(this.over(this.lines()))
  }

  private get columns(): number {
    return this.stream.columns || 80
  }

  private lines(): ReadonlyArray<string> {
    // Lines beyond the terminal's height could not be overwritten.
    let room = (this.stream.rows || 24) - 1 - (this.column > 0 ? 1 : 0)
    return [...this.views].flatMap((view) => {
      const lines = view(this.columns, room).slice(0, Math.max(0, room))
      room -= lines.length
      return lines
    })
  }

  /** Overwrites the shown lines with a single write, to avoid flicker. */
  private over(lines: ReadonlyArray<string>): string {
    const begin = this.shown.length > 0 ? this.up() : this.column > 0 ? "\n" : ""
    this.shown = lines
    this.drawnAt = performance.now()
    return `${begin}${lines.map((line) => `${line}\u001b[K\n`).join("")}\u001b[J`
  }

  /** Erases the shown lines and moves the cursor back to where other output left it. */
  private erase(): string {
    if (this.shown.length === 0) return ""
    const text = `${this.up()}\u001b[J${this.column > 0 ? `\u001b[A\u001b[${this.column}C` : ""}`
    this.shown = []
    return text
  }

  /** Moves to the first shown line. If the terminal has become narrower, a line takes several rows. */
  private up(): string {
    const rowsOf = (line: string) => Math.max(1, Math.ceil(columnsOf(stripAnsi(line)) / this.columns))
    return `\r\u001b[${this.shown.reduce((rows, line) => rows + rowsOf(line), 0)}A`
  }

  private moved(chunk: unknown): void {
    const text = typeof chunk === "string" ? chunk : Buffer.from(chunk as Uint8Array).toString()
    const line = text.slice(Math.max(text.lastIndexOf("\n"), text.lastIndexOf("\r")) + 1)
    const before = line.length === text.length ? this.column : 0
    this.column = (before + columnsOf(stripAnsi(line))) % this.columns
  }

  /** Redraws the views after other output: at once, or after a pause since the last time. */
  private again(lines: ReadonlyArray<string>): void {
    if (performance.now() - this.drawnAt >= restMillis) {
      this.write(this.over(lines))
      return
    }
    this.soon = setTimeout(() => this.draw(), restMillis)
    this.soon.unref()
  }

  /** Makes room for other output until released. */
  private listen(): void {
    let listening = true
    const screen = this
    const undo = this.together.map((stream) => {
      const own = Object.hasOwn(stream, "write")
      const { write } = stream
      if (stream === this.stream) this.write = (text) => void write.call(stream, text)
      const making = function (this: LiveStream, ...args: Parameters<LiveStream["write"]>): boolean {
        if (!listening) return write.apply(this, args)
        const { shown } = screen
        const room = screen.erase()
        if (room !== "") screen.write(room)
        const taken = write.apply(this, args)
        screen.moved(args[0])
        if (shown.length > 0) screen.again(shown)
        return taken
      }
      stream.write = making
      return () => {
        // If someone has wrapped `write` after us, keep theirs; ours then only passes through.
        if (stream.write !== making) return
        if (own) stream.write = write
        else delete (stream as { write?: unknown }).write
      }
    })
    this.column = 0
    this.release = () => {
      listening = false
      clearTimeout(this.soon)
      for (const one of undo) one()
    }
  }
}

const screens = new WeakMap<LiveStream, Screen>()

/** One screen for all streams: stdout and stderr share a terminal. */
export const screenOf = (stream: LiveStream): Screen => {
  const known = screens.get(stream)
  if (known !== undefined) return known
  const standard: ReadonlyArray<LiveStream> = [process.stdout, process.stderr]
  const together = standard.includes(stream) ? standard.filter(({ isTTY }) => isTTY) : [stream]
  const screen = new Screen(stream, together)
  for (const one of together) screens.set(one, screen)
  return screen
}
