/**
 * The fields of stepgraph's events: plain fields, whose schema checks only the type, or fields that the schema must
 * inspect, if the process is started that way.
 */
import { Schema } from "effect"

const checked = process.env.CHECKED_FIELDS !== undefined

export const number = checked ? Schema.Number.check(Schema.isFinite()) : Schema.Number
export const string = checked ? Schema.String.check(Schema.isNonEmpty()) : Schema.String
