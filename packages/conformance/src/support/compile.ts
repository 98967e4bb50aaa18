// Compiles sources with the workspace's options, for the tests of types and documentation.
import { join, relative } from "node:path"
import ts from "typescript"

export const workspace = join(import.meta.dirname, "../../../..")

export interface Problem {
  /** Relative to the workspace. */
  readonly file: string
  readonly line: number
  readonly message: string
}

const configFile = ts.readConfigFile(join(workspace, "tsconfig.base.json"), ts.sys.readFile)
export const workspaceOptions: ts.CompilerOptions = {
  ...ts.parseJsonConfigFileContent(configFile.config, ts.sys, workspace).options,
  // Few programs need this flag; the test for those sets it.
  exactOptionalPropertyTypes: false,
  // Short programs that show one thing may leave names unused.
  noUnusedLocals: false,
  noUnusedParameters: false
}

// Parsing effect's declarations is most of the cost, so all programs of a test file share it.
const parsed = new Map<string, ts.SourceFile | undefined>()

/**
 * Compiles texts as if each were a file at its path relative to the workspace, without writing output. `flags` adds
 * compiler options to those of the workspace.
 */
export const compile = (texts: Readonly<Record<string, string>>, flags: ts.CompilerOptions = {}) => {
  const options = { ...workspaceOptions, ...flags }
  const sources = new Map(Object.entries(texts).map(([file, text]) => [join(workspace, file), text]))
  const host = ts.createCompilerHost(options)
  // Half of effect's declarations is documentation, which says nothing to a compiler.
  host.jsDocParsingMode = ts.JSDocParsingMode.ParseForTypeErrors
  const { fileExists, getSourceFile, readFile } = host
  host.fileExists = (file) => sources.has(file) || fileExists(file)
  host.readFile = (file) => sources.get(file) ?? readFile(file)
  host.getSourceFile = (file, languageVersion) => {
    if (sources.has(file)) return getSourceFile(file, languageVersion)
    if (!parsed.has(file)) parsed.set(file, getSourceFile(file, languageVersion))
    return parsed.get(file)
  }
  const program = ts.createProgram({ rootNames: [...sources.keys()], options, host })
  const problems = [...sources.keys()]
    .map((file) => program.getSourceFile(file)!)
    .flatMap((file) => [
      ...program.getSyntacticDiagnostics(file),
      ...program.getSemanticDiagnostics(file),
      ...(options.declaration ? program.getDeclarationDiagnostics(file) : [])
    ])
    .map(
      ({ file, messageText, start }): Problem => ({
        file: relative(workspace, file!.fileName),
        line: file!.getLineAndCharacterOfPosition(start!).line + 1,
        message: ts.flattenDiagnosticMessageText(messageText, "\n")
      })
    )
  return { problems, instantiations: program.getInstantiationCount() }
}
