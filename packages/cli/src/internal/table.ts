/**
 * Plain text for a terminal: aligned tables, and lines that no stored text can break.
 */

/** One line: stored text may hold anything, also what moves the cursor. */
export const oneLine = (text: string): string => text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, " ")

/** Rows as aligned columns. */
export const table = (rows: ReadonlyArray<ReadonlyArray<string>>): string => {
  const safe = rows.map((row) => row.map(oneLine))
  const widths = safe[0]!.map((_, column) => Math.max(...safe.map((row) => row[column]!.length)))
  return safe
    .map((row) =>
      row
        .map((cell, i) => cell.padEnd(widths[i]!))
        .join("  ")
        .trimEnd()
    )
    .join("\n")
}

const two = (n: number) => String(n).padStart(2, "0")

/** In local time. */
export const date = (at: Date): string =>
  `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`

/** The time between two moments. */
export const elapsed = (millis: number): string => {
  if (millis < 1000) return `${Math.round(millis)} ms`
  const seconds = millis / 1000
  if (seconds < 60) return `${seconds.toFixed(1)} s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return `${minutes} min ${Math.floor(seconds % 60)} s`
  const hours = Math.floor(minutes / 60)
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} days ${hours % 24} h`
}
