/**
 * Values in the words of a report: an event as `Tag {…}`.
 */
import { format } from "effect/Formatter"

const longest = 120

const short = (text: string): string => (text.length > longest ? `${text.slice(0, longest)}…` : text)

export const show = (value: unknown): string => {
  if (Array.isArray(value)) return short(`[${value.map(show).join(", ")}]`)
  if (typeof value !== "object" || value === null || !("_tag" in value)) return short(format(value))
  const { _tag, ...fields } = value as { readonly _tag: unknown }
  return Object.keys(fields).length === 0 ? String(_tag) : short(`${_tag} ${format(fields)}`)
}

const before = 40

/** Two values that differ where both would be cut off: from a little before the first difference on. */
export const showApart = (value: unknown, other: unknown): string => {
  const [text, otherText] = [value, other].map((value) => format(value)) as [string, string]
  let at = 0
  while (at < text.length && text[at] === otherText[at]) at++
  return at < before ? short(text) : `…${short(text.slice(at - before))}`
}

/** Without being cut short, so that two values that differ do so here. */
export const identify = (value: unknown): string => format(value)
