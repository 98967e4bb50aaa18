// The table of what each package adds to an installation: as it is printed, and as the documentation has it.

export interface Measured {
  readonly packages: number
  readonly mebibytes: number
}

const rounded = (mebibytes: number): string => (mebibytes < 10 ? mebibytes.toFixed(1) : mebibytes.toFixed(0))

/** The lines of the table, largest last. */
export const rows = (measured: ReadonlyMap<string, Measured>): ReadonlyArray<string> =>
  [...measured].map(([name, { mebibytes, packages }]) => `| \`${name}\` | ${packages} | ${rounded(mebibytes)} MiB |`)

/** A build or a new version of effect may change sizes a little. */
const tolerance = (mebibytes: number): number => Math.max(0.3, mebibytes / 10)

/** The lines of a page's table that no longer hold, and those that it lacks. */
export const documented = (page: string, measured: ReadonlyMap<string, Measured>): ReadonlyArray<string> =>
  [...measured].flatMap(([name, now]) => {
    const row = new RegExp(`^\\| \`${name}\` \\| (\\d+) \\| ([\\d.]+) MiB \\|`, "m").exec(page)
    const [line] = rows(new Map([[name, now]]))
    if (row === null) return [`lacks ${line}`]
    const holds =
      Number(row[1]) === now.packages && Math.abs(Number(row[2]) - now.mebibytes) <= tolerance(now.mebibytes)
    return holds ? [] : [`says ${row[0]} instead of ${line}`]
  })
