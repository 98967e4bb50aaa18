/** The options of the command. */
import { parseArgs } from "node:util"
import { Misuse } from "./errors.ts"
import type { Manager } from "./manager.ts"
import { isTemplate, type Template, templates } from "./templates.ts"

/** What the user has said. The rest is asked, or has a default. */
export interface Options {
  readonly folder: string | undefined
  readonly template: Template | undefined
  readonly install: boolean | undefined
  readonly git: boolean | undefined
  /** Whether to ask nothing. */
  readonly yes: boolean
  readonly help: boolean
  readonly version: boolean
}

const flag = { type: "boolean" } as const

const known = {
  template: { type: "string", short: "t" },
  install: flag,
  "no-install": flag,
  git: flag,
  "no-git": flag,
  yes: { type: "boolean", short: "y" },
  help: { type: "boolean", short: "h" },
  version: { type: "boolean", short: "v" }
} as const

const seeHelp = "--help lists all options."

/** The command line as the user would write it: npm takes the options before `--` for itself. */
export const written = ({ name }: Manager, folder: string, options = ""): string =>
  `${name} create stepgraph${name === "npm" ? "@latest" : ""} ${folder}${
    options === "" ? "" : `${name === "npm" ? " --" : ""} ${options}`
  }`

export const help = (manager: Manager): string => `Creates a project with stepgraph.

  ${written(manager, "[folder]", "[options]")}

  -t, --template <name>  ${Object.entries(templates)
    .map(([name, about]) => `${name.padEnd(8)}${about}`)
    .join(`\n${" ".repeat(25)}`)}
      --install          install the packages (the default)
      --no-install       only write the files
      --git              create a git repository (the default, unless the folder is in one)
      --no-git           do not create a git repository
  -y, --yes              ask nothing, and use the defaults: template plain, --install, --git
  -h, --help             show this help
  -v, --version          show the version

In a terminal, it asks for whatever you leave out.`

const choice = (values: Readonly<Record<string, unknown>>, name: "install" | "git"): boolean | undefined => {
  if (values[name] && values[`no-${name}`]) throw new Misuse(`Give either --${name} or --no-${name}, not both.`)
  return values[name] ? true : values[`no-${name}`] ? false : undefined
}

export const optionsOf = (args: ReadonlyArray<string>, manager: Manager): Options => {
  // It tells the parts of the command line apart; what is wrong with them is said in words of our own.
  const { positionals, tokens, values } = parseArgs({
    args: [...args],
    options: known,
    allowPositionals: true,
    strict: false,
    tokens: true
  })
  for (const token of tokens) {
    if (token.kind !== "option") continue
    if (!Object.hasOwn(known, token.name)) throw new Misuse(`There is no option ${token.rawName}. ${seeHelp}`)
    const takes = known[token.name as keyof typeof known].type === "string"
    if (takes && (token.value === undefined || token.value === "" || token.value.startsWith("-"))) {
      throw new Misuse(`${token.rawName} needs a value: ${Object.keys(templates).join(", ")}.`)
    }
    if (!takes && token.value !== undefined) {
      throw new Misuse(`${token.rawName} takes no value: leave out '${token.value}'.`)
    }
  }
  if (positionals.length > 1) {
    const folders = positionals.map((folder) => `'${folder}'`).join(" and ")
    const npm =
      manager.name === "npm"
        ? ` With npm, put -- before the options: ${written(manager, "my-app", "--template agent")}`
        : ""
    throw new Misuse(`Name one folder, not ${folders}.${npm}`)
  }
  const template = values.template as string | undefined
  if (template !== undefined && !isTemplate(template)) {
    throw new Misuse(`There is no template '${template}'. The templates are ${Object.keys(templates).join(", ")}.`)
  }
  return {
    folder: positionals[0],
    template,
    install: choice(values, "install"),
    git: choice(values, "git"),
    yes: values.yes === true,
    help: values.help === true,
    version: values.version === true
  }
}
