// When a release may begin.

export interface State {
  /** What `git status --short` prints. */
  readonly changes: ReadonlyArray<string>
  readonly branch: string
  readonly head: string
  /** The commit of `main` on GitHub, if there is such a remote. */
  readonly remote: string | undefined
  /** The public packages, by name. */
  readonly packages: ReadonlyMap<string, { readonly version: string; readonly changelog: string | undefined }>
  /** The packages that changesets gives one version. */
  readonly fixed: ReadonlyArray<string>
  readonly changesets: ReadonlyArray<string>
  /** Git's tags. */
  readonly tags: ReadonlyArray<string>
}

/** The notes of a version: what its changelog has below the version's heading. */
export const notesOf = (changelog: string, version: string): string | undefined => {
  const [, ...sections] = `\n${changelog}`.split(/\n## /)
  const section = sections.find((text) => text.startsWith(`${version}\n`))
  return section?.slice(version.length).trim() || undefined
}

/** Why a release cannot begin, and what to do about it. */
export const refusals = (state: State): ReadonlyArray<string> => {
  const { branch, changes, changesets, fixed, head, packages, remote, tags } = state
  const reasons: Array<string> = []
  if (changes.length > 0) reasons.push(`Commit or remove your changes first:\n${changes.join("\n")}`)
  if (branch !== "main") reasons.push(`Releases are made from main, and this is ${branch}: git switch main`)
  else if (remote === undefined)
    reasons.push("GitHub publishes, and there is no remote 'origin': git remote add origin …")
  else if (remote !== head) reasons.push("main differs from main on GitHub: pull, or push and let CI check it")

  const versions = new Set([...packages.values()].map(({ version }) => version))
  const all = [...packages].map(([name, { version }]) => `${name} ${version}`).join(", ")
  if (versions.size > 1) reasons.push(`All packages must have the same version. There are ${all}.`)
  for (const name of packages.keys())
    if (!fixed.includes(name))
      reasons.push(`Add ${name} to 'fixed' in .changeset/config.json: all packages have one version.`)
  for (const [name, { changelog, version }] of packages)
    if (notesOf(changelog ?? "", version) === undefined)
      reasons.push(`CHANGELOG.md of ${name} says nothing about ${version}: write what is new below '## ${version}'.`)

  const first = !tags.some((tag) => /^stepgraph@/.test(tag))
  if (changesets.length > 0)
    reasons.push(
      first
        ? `The notes of the first version are in the packages' CHANGELOG.md. Move there what these say, and delete them: ${changesets.join(", ")}`
        : `Merge the pull request 'Release', which makes a version of ${changesets.join(", ")}.`
    )
  const released = [...packages].filter(([name, { version }]) => tags.includes(`${name}@${version}`))
  if (changesets.length === 0 && packages.size > 0 && released.length === packages.size)
    reasons.push(`${[...versions].join(", ")} is released: its tags exist. A release begins with a changeset.`)
  return reasons
}
