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

/** Without being cut short, so that two values that differ do so here. */
export const identify = (value: unknown): string => format(value)
