/**
 * What the packages beside this one share with it, so that all of them say things the same way and look at values as
 * safely. It may change in any release: import it from nowhere else.
 *
 * @internal
 */
export { dataOf } from "./internal/runtime/trace/data.ts"
export { nearest, refuseUnknown } from "./Options.ts"
export { copyOf } from "./OwnSchema.ts"
export { secretOf } from "./Secrets.ts"
export { type Bounds, nameAndMessage, wordsOf } from "./Show.ts"
export { isAdopted } from "./Standard.ts"
export { TaggedError } from "./TaggedError.ts"
