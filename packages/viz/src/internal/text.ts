/**
 * Makes user text safe to draw: it cannot end a string, a line or a tag.
 */

const control = /[\p{Cc}\p{Cf}\u2028\u2029]+/gu

/** One line of well-formed text. */
export const oneLine = (text: string): string =>
  text
    // Lone surrogates, and the two characters that XML forbids.
    .replace(/[\p{Cs}\ufffe\uffff]/gu, "\ufffd")
    .replace(control, " ")
    .trim()

/** One visible line of limited length. */
export const shorten = (text: string, most = 40): string => {
  const line = oneLine(text) || "␣"
  const characters = [...line]
  return characters.length <= most ? line : `${characters.slice(0, most - 1).join("")}…`
}

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;"
}

/** Escapes text for XML and HTML, including attributes. */
export const xml = (text: string): string => oneLine(text).replace(/[&<>"']/g, (character) => entities[character]!)

const wide =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff60\uffe0-\uffe6]|\p{Extended_Pictographic}/u

/** The width of a line in a common sans-serif font at one pixel, slightly overestimated. */
export const widthOf = (line: string): number => {
  let width = 0
  for (const character of line) {
    if (wide.test(character)) width += 1.05
    else if (/[A-Zmw@%—…]/.test(character)) width += 0.72
    else if (/[iljtf.,:;'|! ()[\]]/.test(character)) width += 0.36
    else width += 0.58
  }
  return width
}

/** The events on one arrow, one per line, at most so many. */
export const eventLines = (events: ReadonlyArray<string>, most = 5): ReadonlyArray<string> => {
  const lines = events.map((event) => shorten(event, 32))
  return lines.length <= most ? lines : [...lines.slice(0, most - 1), `and ${lines.length - most + 1} more`]
}

/** Formats milliseconds for people. */
export const time = (millis: number): string => {
  if (millis < 1) return millis === 0 ? "0 ms" : `${Number(millis.toPrecision(2))} ms`
  if (millis < 1000) return `${millis < 10 ? Number(millis.toFixed(1)) : Math.round(millis)} ms`
  if (millis < 60_000) return `${(millis / 1000).toFixed(millis < 10_000 ? 2 : 1)} s`
  const minutes = Math.floor(millis / 60_000)
  if (minutes < 60) return `${minutes} min ${Math.round((millis % 60_000) / 1000)} s`
  const hours = Math.floor(minutes / 60)
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.round(hours / 24)} days`
}

/** `1 event`, `2 events`. */
export const count = (n: number, thing: string): string => `${n.toLocaleString("en")} ${thing}${n === 1 ? "" : "s"}`
