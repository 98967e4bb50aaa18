/**
 * The whole command line for given arguments: its platform services, and its errors as sentences.
 */
import * as NodeChildProcessSpawner from "@effect/platform-node-shared/NodeChildProcessSpawner"
import * as NodeFileSystem from "@effect/platform-node-shared/NodeFileSystem"
import * as NodePath from "@effect/platform-node-shared/NodePath"
import * as NodeStdio from "@effect/platform-node-shared/NodeStdio"
import * as NodeTerminal from "@effect/platform-node-shared/NodeTerminal"
import * as Console from "effect/Console"
import { CliOutput, Command } from "effect/cli"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import { stepgraph } from "./command.ts"
import { Misuse } from "./errors.ts"
import { withActionFirst } from "./runs.ts"

const files = Layer.mergeAll(NodeFileSystem.layer, NodePath.layer)
const platform = Layer.mergeAll(
  files,
  NodeStdio.layer,
  NodeTerminal.layer,
  Layer.provide(NodeChildProcessSpawner.layer, files),
  // Logs go to stderr, so they do not mix with the result.
  Layer.succeed(Logger.LogToStderr, true),
  // Usage errors are printed below as one sentence, without the full help.
  CliOutput.layerPresenter({
    present: (event) => (event._tag === "InvalidInvocation" ? Effect.void : CliOutput.defaultPresenter.present(event))
  })
)

export const program = (args: ReadonlyArray<string>, version: string): Effect.Effect<void, unknown> =>
  Command.runWith(stepgraph, { version })(withActionFirst(args)).pipe(
    Effect.catchTag("ShowHelp", ({ errors, commandPath }) => {
      // A command without a subcommand prints its help.
      if (errors.length === 0) return Effect.void
      const text = errors.map(({ message }) => `${message.replace(/\s*\n\s*\n\s*/g, ". ").replace(/\s*\n\s*/g, " ")}.`)
      return Effect.fail(new Misuse({ message: `${text.join("\n")}\nSee ${commandPath.join(" ")} --help.` }))
    }),
    Effect.tapError((error) => Console.error(error.message)),
    Effect.provide(platform)
  )
