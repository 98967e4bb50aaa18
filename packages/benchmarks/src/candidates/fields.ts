/**
 * The fields of stepgraph's events: plain ones, of which a schema asks nothing but their type, or where the process is told so, ones
 * that the schema has to look into.
 */
import { Schema } from "effect"

const checked = process.env.CHECKED_FIELDS !== undefined

export const number = checked ? Schema.Number.check(Schema.isFinite()) : Schema.Number
export const string = checked ? Schema.String.check(Schema.isNonEmpty()) : Schema.String
