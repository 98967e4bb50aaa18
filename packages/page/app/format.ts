/**
 * Times, numbers and values for people.
 */
export const duration = (millis: number): string => {
  if (millis < 1000) return `${millis < 10 && millis > 0 ? Number(millis.toFixed(1)) : Math.round(millis)} ms`
  if (millis < 60_000) return `${(millis / 1000).toFixed(millis < 10_000 ? 2 : 1)} s`
  const minutes = Math.floor(millis / 60_000)
  if (minutes < 60) return `${minutes} min ${Math.round((millis % 60_000) / 1000)} s`
  const hours = Math.floor(minutes / 60)
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.round(hours / 24)} days`
}

/** How long ago, in one unit. */
export const age = (millis: number): string => {
  const seconds = Math.max(0, Math.floor(millis / 1000))
  if (seconds < 5) return "now"
  if (seconds < 60) return `${seconds} s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return `${minutes} min`
  const hours = Math.floor(minutes / 60)
  return hours < 48 ? `${hours} h` : `${Math.floor(hours / 24)} d`
}

export const number = (value: number): string => value.toLocaleString("en")

export const count = (n: number, thing: string): string => `${number(n)} ${thing}${n === 1 ? "" : "s"}`

/** `a, b and c` */
export const listed = (items: ReadonlyArray<string>, word = "and"): string =>
  items.length < 2 ? (items[0] ?? "") : `${items.slice(0, -1).join(", ")} ${word} ${items.at(-1)}`

/** A value on one line, cut. */
export const brief = (value: unknown, most = 240): string => {
  return cut(JSON.stringify(value) ?? "", most)
}

export const cut = (text: string, most: number): string => (text.length <= most ? text : `${text.slice(0, most)}…`)

export const pretty = (value: unknown): string => JSON.stringify(value, null, 2) ?? ""
