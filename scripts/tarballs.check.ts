// What must hold for a packed package, whatever is in it.

export interface Manifest {
  readonly name?: string
  readonly version?: string
  readonly description?: string
  readonly keywords?: ReadonlyArray<string>
  readonly homepage?: string
  readonly bugs?: string
  readonly license?: string
  readonly type?: string
  readonly sideEffects?: boolean
  readonly repository?: { readonly url?: string; readonly directory?: string }
  readonly engines?: { readonly node?: string }
  readonly publishConfig?: { readonly access?: string }
  readonly dependencies?: Readonly<Record<string, string>>
  readonly peerDependencies?: Readonly<Record<string, string>>
}

export interface Tarball {
  readonly manifest: Manifest
  /** The folder in the repository that it is packed from. */
  readonly directory: string
  /** The text of each file, by its path in the package. */
  readonly files: ReadonlyMap<string, string>
}

/** A repository's own paths, which mean nothing elsewhere; a template is a project of its own and has tests. */
const stray = /^(?!templates\/)(.*\/)?(src|test|tests|node_modules)\/|^(?!templates\/).*\.(test|spec)\.|\.tsbuildinfo$/

const manifestProblems = ({ directory, manifest }: Tarball): ReadonlyArray<string> => {
  const { dependencies, keywords = [], name, peerDependencies, repository } = manifest
  const ranges = Object.entries({ ...dependencies, ...peerDependencies })
  const wrong: ReadonlyArray<readonly [boolean, string]> = [
    [!manifest.description, "has no description"],
    [keywords.length < 3 || new Set(keywords).size < keywords.length, "needs three keywords or more, each once"],
    [manifest.license !== "MIT", "must say its license, MIT"],
    [manifest.type !== "module", "must be of type module"],
    [manifest.sideEffects !== false, "must say sideEffects: false, or bundlers keep all of it"],
    [!manifest.engines?.node?.startsWith(">="), "must say in engines which Node it needs"],
    [manifest.publishConfig?.access !== "public", "must have public access, or npm refuses a new scoped name"],
    [repository?.directory !== directory, `must be of the repository's directory ${directory}`],
    [
      repository?.url !== "git+https://github.com/stepgraph/stepgraph.git",
      "must name the repository, or npm refuses its provenance"
    ],
    [!manifest.homepage?.endsWith(`/${directory}#readme`), `must have ${directory} as its homepage`],
    [!manifest.bugs, "must say where to report bugs"]
  ]
  return [
    ...wrong.flatMap(([holds, what]) => (holds ? [`${name} ${what}`] : [])),
    ...ranges.flatMap(([other, range]) => (/^workspace:/.test(range) ? [`${name} needs ${other} at ${range}`] : []))
  ]
}

const mapProblems = (name: string, file: string, text: string): ReadonlyArray<string> => {
  const { sources = [], sourcesContent = [] } = JSON.parse(text)
  const lost = sources.filter((_: string, index: number) => typeof sourcesContent[index] !== "string")
  return lost.map((source: string) => `${name}: ${file} leads to ${source}, which is not there`)
}

/** What is wrong with a packed package, in words. */
export const problemsOf = (tarball: Tarball): ReadonlyArray<string> => {
  const { files, manifest } = tarball
  const name = manifest.name ?? tarball.directory
  const problems = [...manifestProblems(tarball)]
  for (const needed of ["README.md", "LICENSE"]) if (!files.has(needed)) problems.push(`${name} has no ${needed}`)
  for (const [file, text] of files) {
    if (stray.test(file)) problems.push(`${name}: ${file} is not for users`)
    if (file.endsWith(".map")) problems.push(...mapProblems(name, file, text))
    const [, map] = /^\/\/# sourceMappingURL=(?!data:)(.+)$/m.exec(file.endsWith(".js") ? text : "") ?? []
    const folder = file.replace(/[^/]*$/, "")
    if (map && !files.has(folder + map)) problems.push(`${name}: ${file} leads to ${map}, which is not there`)
  }
  return problems
}
