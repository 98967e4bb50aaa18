/**
 * Shared with the other packages of this project, so that all use the same wording and look at values equally safely.
 * It may change in any release: do not import it from anywhere else.
 *
 * @internal
 */
export { dataOf } from "./internal/runtime/trace/data.ts"
export { kindOf, nearest, refuseUnknown } from "./Options.ts"
export { copyOf } from "./OwnSchema.ts"
export { secretOf } from "./Secrets.ts"
export { type Bounds, nameAndMessage, wordsOf } from "./Show.ts"
export { isAdopted } from "./Standard.ts"
export { TaggedError } from "./TaggedError.ts"
export { questionInWords, waitingInWords } from "./Waiting.ts"
