/**
 * The command `stepgraph`.
 */
import { readFileSync } from "node:fs"
import * as NodeChildProcessSpawner from "@effect/platform-node-shared/NodeChildProcessSpawner"
import * as NodeFileSystem from "@effect/platform-node-shared/NodeFileSystem"
import * as NodePath from "@effect/platform-node-shared/NodePath"
import { runMain } from "@effect/platform-node-shared/NodeRuntime"
import * as NodeStdio from "@effect/platform-node-shared/NodeStdio"
import * as NodeTerminal from "@effect/platform-node-shared/NodeTerminal"
import * as Console from "effect/Console"
import { CliError, Command } from "effect/cli"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { stepgraph } from "./internal/command-line/command.ts"
import { Misuse, NotWell } from "./internal/command-line/errors.ts"

const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"))

const files = Layer.mergeAll(NodeFileSystem.layer, NodePath.layer)
const platform = Layer.mergeAll(
  files,
  NodeStdio.layer,
  NodeTerminal.layer,
  Layer.provide(NodeChildProcessSpawner.layer, files)
)

const program = Command.run(stepgraph, { version }).pipe(
  // A command line that means nothing has been answered with help already.
  Effect.catchIf(
    (error): error is CliError.ShowHelp => error instanceof CliError.ShowHelp && error.errors.length > 0,
    () => Effect.fail(new Misuse({ message: "" }))
  ),
  Effect.tapError((error) =>
    (error instanceof Misuse || error instanceof NotWell) && error.message !== ""
      ? Console.error(error.message)
      : Effect.void
  ),
  Effect.provide(platform)
)

// A file that was loaded may have left something running: the command is done when it is done.
runMain(
  Effect.onExit(program, () => Effect.sync(() => setTimeout(() => process.exit(), 500).unref())) as Effect.Effect<
    void,
    unknown
  >
)
