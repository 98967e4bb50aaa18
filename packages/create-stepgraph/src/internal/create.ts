/** The whole command. */
import { relative } from "node:path"
import type { Readable, Writable } from "node:stream"
import { createRepository, install } from "./commands.ts"
import { Cancelled, Misuse } from "./errors.ts"
import { type Manager, managerOf } from "./manager.ts"
import { help, type Options, optionsOf, written } from "./options.ts"
import { type Place, placeOf } from "./place.ts"
import { questions } from "./questions.ts"
import { isTemplate, manifest, type Template, templates, write } from "./templates.ts"

export interface Surroundings {
  readonly args: ReadonlyArray<string>
  readonly cwd: string
  readonly env: Readonly<Record<string, string | undefined>>
  readonly stdin: Readable & { readonly isTTY?: boolean }
  readonly stdout: Writable & { readonly isTTY?: boolean }
  readonly stderr: Writable
  /** Aborts when the user presses Ctrl-C. */
  readonly signal: AbortSignal
}

interface Plan {
  readonly place: Place
  readonly template: Template
  readonly install: boolean
  readonly git: boolean
}

const templateOf = (answer: string): Template => {
  const name = Object.keys(templates)[Number(answer) - 1] ?? answer
  if (!isTemplate(name)) throw new Misuse(`Answer with a number or a name: ${Object.keys(templates).join(", ")}.`)
  return name
}

const asked = async (
  options: Options,
  manager: Manager,
  { cwd, signal, stdin, stdout }: Surroundings
): Promise<Plan> => {
  const given = options.folder === undefined ? undefined : await placeOf(options.folder, cwd)
  using terminal = questions(stdin, stdout, signal)
  const place = given ?? (await terminal.ask("Which folder?", "my-app", (answer) => placeOf(answer, cwd)))
  if (options.template === undefined) {
    const rows = Object.entries(templates).map(([name, about], n) => `  ${n + 1}  ${name.padEnd(8)}${about}\n`)
    stdout.write(rows.join(""))
  }
  return {
    place,
    template: options.template ?? (await terminal.ask("Which template?", "1", templateOf)),
    install: options.install ?? (await terminal.confirm(`Install the packages with ${manager.name}?`)),
    git: options.git ?? (await terminal.confirm("Create a git repository?"))
  }
}

const unasked = async ({ folder, git, install, template }: Options, manager: Manager, cwd: string): Promise<Plan> => {
  if (folder === undefined) throw new Misuse(`Name the folder of the new project: ${written(manager, "my-app")}`)
  return {
    place: await placeOf(folder, cwd),
    template: template ?? "plain",
    install: install ?? true,
    git: git ?? true
  }
}

/** The commands to run next, each with what it does. */
const next = (manager: Manager, folder: string, installed: boolean): string => {
  const commands: ReadonlyArray<readonly [command: string, does: string]> = [
    ...(folder === "" ? [] : [[`cd ${/\s/.test(folder) ? `"${folder}"` : folder}`, ""] as const]),
    ...(installed ? [] : [[`${manager.name} install`, ""] as const]),
    [manager.script("dev"), "starts and shows runs on a page"],
    [manager.script("start"), "runs the program"],
    [manager.script("test"), "tests it in every order of events"]
  ]
  const width = Math.max(...commands.map(([command]) => command.length))
  return commands.map(([command, does]) => `  ${command.padEnd(width)}  ${does}`.trimEnd()).join("\n")
}

const carryOut = async (
  plan: Plan,
  manager: Manager,
  { cwd, signal, stderr, stdout }: Surroundings
): Promise<number> => {
  const { folder, make, name } = plan.place
  const undo = await make()
  let installed = false
  try {
    await write(plan.template, folder, name, manager)
    signal.throwIfAborted()
    if (plan.git && !(await createRepository({ cwd: folder, signal }))) {
      stderr.write("No git repository was created: 'git init' failed, or git is not installed.\n")
    }
    signal.throwIfAborted()
    if (plan.install) installed = await install(manager.name, { cwd: folder, signal })
    signal.throwIfAborted()
  } catch (error) {
    await undo()
    throw signal.aborted ? new Cancelled() : error
  }
  const failed = plan.install && !installed
  if (failed)
    stderr.write(
      `\n'${manager.name} install' failed, so the packages are not installed. The files of the project are there.\n`
    )
  stdout.write(`\nCreated '${name}' from the template '${plan.template}'. Next:\n\n`)
  stdout.write(`${next(manager, relative(cwd, folder), installed)}\n`)
  return failed ? 1 : 0
}

/** Creates a project as the arguments say, and returns the exit code. */
export const create = async (surroundings: Surroundings): Promise<number> => {
  const { args, cwd, env, stderr, stdin, stdout } = surroundings
  const manager = managerOf(env)
  try {
    const options = optionsOf(args, manager)
    if (options.help || options.version) {
      stdout.write(`${options.help ? help(manager) : (await manifest()).version}\n`)
      return 0
    }
    const asks = !options.yes && stdin.isTTY === true && stdout.isTTY === true
    const plan = await (asks ? asked(options, manager, surroundings) : unasked(options, manager, cwd))
    return await carryOut(plan, manager, surroundings)
  } catch (error) {
    if (error instanceof Cancelled) {
      stderr.write("\nCancelled: nothing was created.\n")
      return 130
    }
    stderr.write(`${(error as Error).message}\n`)
    return error instanceof Misuse ? 2 : 1
  }
}
