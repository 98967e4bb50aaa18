/**
 * Explains why a schema refused a value, or cannot be used at all.
 */
import * as Cause from "effect/Cause"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import * as SchemaIssue from "effect/SchemaIssue"
import type { Secret } from "./Look.ts"
import { issueInWords } from "./Secrets.ts"
import { nameAndMessage } from "./Show.ts"
import { UnusableSchema } from "./Standard.ts"

/** The mismatch, with the schema's own issue if the schema was used; or why the schema cannot be used. */
export type Reason = { readonly issue?: SchemaIssue.Issue; readonly problem: string } | { readonly unusable: string }

/** Handles an exception from a schema. Never quotes a `secret` part. */
export const reasonOf = (error: unknown, secret: Secret | undefined): Reason => {
  try {
    const reason = error instanceof Error && !Schema.isSchemaError(error) ? error.cause : error
    const issue = Schema.isSchemaError(reason) ? reason.issue : SchemaIssue.isIssue(reason) ? reason : undefined
    if (issue !== undefined) return { issue, problem: issueInWords(issue, secret) }
    // An exception of the schema's own code, such as a check, becomes the error's cause.
    const thrown = Cause.isCause(reason) ? Cause.squash(reason) : error
    const unusable = unusableInWords(thrown)
    if (unusable !== undefined) return { unusable }
    return { problem: secret === undefined ? nameAndMessage(thrown) : "its schema threw" }
  } catch {
    // A getter, a proxy or an error without text may throw: the value is refused all the same.
    return { problem: "it cannot be read" }
  }
}

const notFound = "Service not found: "

const unusableInWords = (thrown: unknown): string | undefined => {
  if (thrown instanceof UnusableSchema) return thrown.message
  if (Predicate.isTagged(thrown, "AsyncFiberError")) {
    return "its schema decodes asynchronously, but events and state are checked synchronously: decode it in a step, and pass the result"
  }
  return thrown instanceof Error && thrown.message.startsWith(notFound)
    ? `its schema needs the service '${thrown.message.slice(notFound.length)}' to be decoded, but no services are available here: ` +
        "decode it in a step, and pass the result"
    : undefined
}
