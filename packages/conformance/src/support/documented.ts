// Which errors a module exports, and the line of a page that says what to do about one.

export const errorsOf = (module: object): ReadonlyArray<string> =>
  Object.entries(module).flatMap(([name, value]) =>
    typeof value === "function" && value.prototype instanceof Error ? [name] : []
  )

export const tableLine = (error: string) => new RegExp(`^\\| \`${error}\` \\| .+ \\| .+ \\|$`, "m")
