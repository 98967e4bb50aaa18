/**
 * The two ways in which a command fails. Each has a message and an exit code.
 */
import * as Data from "effect/Data"
import * as Runtime from "effect/Runtime"

/** The command could not do what it was asked to: exit code 2. */
export class Misuse extends Data.TaggedError("Misuse")<{ readonly message: string }> {
  override readonly [Runtime.errorExitCode] = 2
  override readonly [Runtime.errorReported] = false
}

/** The command worked, but found problems or a failed run: exit code 1. */
export class Failed extends Data.TaggedError("Failed")<{ readonly message: string }> {
  override readonly [Runtime.errorExitCode] = 1
  override readonly [Runtime.errorReported] = false
}
