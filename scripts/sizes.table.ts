// The table of what each package weighs: as it is printed, and as the documentation has it.

export interface Measured {
  /** What npm downloads for the package itself, in bytes. */
  readonly packed: number
  /** The files of the package itself, in bytes. */
  readonly unpacked: number
  /** How many packages it adds to an installation, itself included. */
  readonly packages: number
  /** What they all take on the disk, in bytes. */
  readonly installed: number
  /** What its typical import adds to a program, bundled, minified and compressed, in bytes; none for a command. */
  readonly bundled: number | undefined
}

/** At most three digits of a size: 2.6 kB, 366 kB, 1.3 MB. */
const size = (bytes: number): string => {
  const [amount, unit] = bytes < 999_500 ? [bytes / 1e3, "kB"] : [bytes / 1e6, "MB"]
  return `${amount < 9.95 ? amount.toFixed(1) : amount.toFixed(0)} ${unit}`
}

const parsed = (cell: string): number => {
  const [, amount, unit] = /^([\d.]+) (kB|MB)$/.exec(cell) ?? []
  return Number(amount) * (unit === "MB" ? 1e6 : 1e3)
}

const cells = ({ bundled, installed, packages, packed, unpacked }: Measured): ReadonlyArray<string> => [
  size(packed),
  size(unpacked),
  String(packages),
  size(installed),
  bundled === undefined ? "" : size(bundled)
]

const line = (name: string, measured: Measured) =>
  `| \`${name}\` |${cells(measured)
    .map((cell) => (cell === "" ? " |" : ` ${cell} |`))
    .join("")}`

/** The lines of the table. */
export const rows = (measured: ReadonlyMap<string, Measured>): ReadonlyArray<string> =>
  [...measured].map(([name, sizes]) => line(name, sizes))

/** A build, or a new version of effect, may change sizes a little. */
const holds = (documented: string, measured: string): boolean => {
  const [before, now] = [parsed(documented), parsed(measured)]
  if (Number.isNaN(now)) return documented === measured
  return Math.abs(before - now) <= Math.max(500, now / 10)
}

/** The lines of a page's table that no longer hold, and those that it lacks. */
export const documented = (page: string, measured: ReadonlyMap<string, Measured>): ReadonlyArray<string> =>
  [...measured].flatMap(([name, sizes]) => {
    const now = line(name, sizes)
    const found = page.split("\n").find((text) => text.startsWith(`| \`${name}\` |`))
    if (found === undefined) return [`lacks ${now}`]
    const before = found.split("|").slice(2, -1)
    const same = cells(sizes).every((cell, index) => holds(before[index]?.trim() ?? "", cell))
    return same ? [] : [`says ${found} instead of ${now}`]
  })
