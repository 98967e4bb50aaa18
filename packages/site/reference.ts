/** Makes the pages of the API reference from the docstrings; a broken link in one is an error. */
import { globSync, readFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { Application, Converter } from "typedoc"

const root = join(import.meta.dirname, "../..")

/** What people import, by its source file: each entry point of each published package. */
const entryPoints = (): ReadonlyMap<string, string> =>
  new Map(
    globSync("packages/*/package.json", { cwd: root })
      .sort()
      .map((file) => ({ file, ...JSON.parse(readFileSync(join(root, file), "utf8")) }))
      .filter((manifest) => manifest.private !== true)
      .flatMap(({ file, name, exports = {} }) =>
        Object.entries<string>(exports)
          .filter(([path, source]) => source.endsWith(".ts") && path !== "./internal")
          .map(([path, source]) => [join(root, dirname(file), source), join(name, path)] as const)
      )
  )

export const reference = async (): Promise<void> => {
  const names = entryPoints()
  const app = await Application.bootstrapWithPlugins({
    name: "API reference",
    plugin: ["typedoc-plugin-markdown"],
    entryPoints: [...names.keys()],
    tsconfig: join(root, "tsconfig.json"),
    out: join(import.meta.dirname, "reference"),
    logLevel: "Warn",
    readme: "none",
    // `typecheck` does that.
    skipErrorChecking: true,
    excludeInternal: true,
    // Else each error lists everything that it inherits from Effect.
    excludeExternals: true,
    disableSources: true,
    validation: { notExported: false },
    externalSymbolLinkMappings: { effect: { withConstructorDefault: "#" } },
    ...{
      entryFileName: "index",
      hidePageHeader: true,
      hideBreadcrumbs: true,
      useCodeBlocks: true,
      expandParameters: true,
      parametersFormat: "table",
      indexFormat: "table",
      pageTitleTemplates: { member: "{name}", module: "{name}" }
    }
  })
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
    for (const module of project.children ?? []) {
      module.name = names.get(project.getSymbolIdFromReflection(module)?.fileName ?? "") ?? module.name
    }
  })
  const project = await app.convert()
  if (project === undefined) throw new Error("the API reference cannot be made: TypeDoc says why above")
  app.validate(project)
  if (app.logger.hasErrors() || app.logger.hasWarnings()) throw new Error("correct what TypeDoc says above")
  await app.generateOutputs(project)
}

if (import.meta.main) await reference()
