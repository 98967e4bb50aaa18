// The errors that a module exports, and the line of a page that explains one.

export const errorsOf = (module: object): ReadonlyArray<string> =>
  Object.entries(module).flatMap(([name, value]) =>
    typeof value === "function" && value.prototype instanceof Error ? [name] : []
  )

export const tableLine = (error: string) => new RegExp(`^\\| \`${error}\` \\| .+ \\| .+ \\|$`, "m")
