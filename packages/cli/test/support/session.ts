/**
 * The command line in one process that takes many commands: starting a process for each would be slow.
 */
import { setImmediate } from "node:timers/promises"
import { Effect, Fiber, Runtime } from "effect"
import { TestClock } from "effect/testing"
import { program } from "../../src/internal/program.ts"
import { withoutWarningsOfLoading } from "../../src/internal/warnings.ts"

withoutWarningsOfLoading()

const hear = (stream: NodeJS.WriteStream) => {
  const heard: Array<string> = []
  const { write } = stream
  stream.write = (text: string | Uint8Array) => heard.push(text.toString()) > 0
  return () => {
    stream.write = write
    return heard.join("")
  }
}

/** Advances the virtual time without waiting. */
const inVirtualTime = (command: Effect.Effect<void, unknown>) =>
  Effect.gen(function* () {
    const running = yield* Effect.forkChild(command)
    while (running.pollUnsafe() === undefined) {
      yield* TestClock.adjust("1 second")
      yield* Effect.promise(() => setImmediate())
    }
    return yield* Fiber.join(running)
  }).pipe(Effect.provide(TestClock.layer()))

process.on("message", async ({ args, virtual }: { args: ReadonlyArray<string>; virtual: boolean }) => {
  const [out, err] = [hear(process.stdout), hear(process.stderr)]
  const command = program(args, "1.2.3")
  const exit = await Effect.runPromiseExit(virtual ? inVirtualTime(command) : command)
  Runtime.defaultTeardown(exit, (code) => process.send!({ code, out: out(), err: err() }))
})
