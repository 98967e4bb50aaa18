/** The package manager that has started this command, and how its commands are written. */

export interface Manager {
  readonly name: "npm" | "pnpm" | "yarn" | "bun"
  /** The command that runs a script of the project. */
  readonly script: (name: string) => string
}

const npm: Manager = {
  name: "npm",
  script: (name) => (/^(start|test)$/.test(name) ? `npm ${name}` : `npm run ${name}`)
}

const managers: ReadonlyArray<Manager> = [
  npm,
  { name: "pnpm", script: (name) => `pnpm ${name}` },
  { name: "yarn", script: (name) => `yarn ${name}` },
  // `bun test` would be its own runner.
  { name: "bun", script: (name) => `bun run ${name}` }
]

/** All package managers name themselves in the same variable. */
export const managerOf = (env: Readonly<Record<string, string | undefined>>): Manager => {
  const [name] = (env.npm_config_user_agent ?? "").split("/")
  return managers.find((manager) => manager.name === name) ?? npm
}
