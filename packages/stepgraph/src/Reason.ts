/**
 * Why a schema has refused a value, or cannot be used at all.
 */
import * as Cause from "effect/Cause"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import * as SchemaIssue from "effect/SchemaIssue"
import type { Secret } from "./Look.ts"
import { issueInWords } from "./Secrets.ts"
import { nameAndMessage } from "./Show.ts"
import { UnusableSchema } from "./Standard.ts"

/** What does not fit, with the schema's own issue where it was asked; or why the schema cannot be asked. */
export type Reason = { readonly issue?: SchemaIssue.Issue; readonly problem: string } | { readonly unusable: string }

/** What a schema threw. Nothing of what is `secret` is quoted. */
export const reasonOf = (error: unknown, secret: Secret | undefined): Reason => {
  try {
    const reason = error instanceof Error && !Schema.isSchemaError(error) ? error.cause : error
    const issue = Schema.isSchemaError(reason) ? reason.issue : SchemaIssue.isIssue(reason) ? reason : undefined
    if (issue !== undefined) return { issue, problem: issueInWords(issue, secret) }
    // What the schema's own code throws, such as a check, stands in the error's cause.
    const thrown = Cause.isCause(reason) ? Cause.squash(reason) : error
    const unusable = unusableInWords(thrown)
    if (unusable !== undefined) return { unusable }
    return { problem: secret === undefined ? nameAndMessage(thrown) : "its schema threw" }
  } catch {
    // A getter, a proxy or an error without text: whatever throws here, the value is refused.
    return { problem: "it cannot be read" }
  }
}

const notFound = "Service not found: "

const unusableInWords = (thrown: unknown): string | undefined => {
  if (thrown instanceof UnusableSchema) return thrown.message
  if (Predicate.isTagged(thrown, "AsyncFiberError")) {
    return "its schema takes time to decode, and this is done at once: decode it in a step, and give what it was decoded to"
  }
  return thrown instanceof Error && thrown.message.startsWith(notFound)
    ? `its schema needs the service '${thrown.message.slice(notFound.length)}' to be decoded, and there are no services here: ` +
        "decode it in a step, and give what it was decoded to"
    : undefined
}
