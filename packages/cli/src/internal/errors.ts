/**
 * What the command line ends with where it cannot do what it was asked: a sentence, and an exit code.
 */
import * as Data from "effect/Data"
import * as Runtime from "effect/Runtime"

/** Something was asked for that cannot be: exit code 2. */
export class Misuse extends Data.TaggedError("Misuse")<{ readonly message: string }> {
  override readonly [Runtime.errorExitCode] = 2
  override readonly [Runtime.errorReported] = false
}

/** What was asked for was done, and it is not well: exit code 1. */
export class NotWell extends Data.TaggedError("NotWell")<{ readonly message: string }> {
  override readonly [Runtime.errorExitCode] = 1
  override readonly [Runtime.errorReported] = false
}
