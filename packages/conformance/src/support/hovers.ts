// The text that an editor shows for a name, from TypeScript's language service.
import { join } from "node:path"
import ts from "typescript"
import { workspace, workspaceOptions } from "./compile.ts"

/** The one-line hover text of each name at its first occurrence in a file with this content. */
export const hovers = (file: string, text: string, names: ReadonlyArray<string>): Readonly<Record<string, string>> => {
  const path = join(workspace, file)
  const host: ts.LanguageServiceHost = {
    getCompilationSettings: () => workspaceOptions,
    getScriptFileNames: () => [path],
    getScriptVersion: () => "1",
    getScriptSnapshot: (name) => {
      const source = name === path ? text : ts.sys.readFile(name)
      return source === undefined ? undefined : ts.ScriptSnapshot.fromString(source)
    },
    getCurrentDirectory: () => workspace,
    getDefaultLibFileName: ts.getDefaultLibFilePath,
    fileExists: (name) => name === path || ts.sys.fileExists(name),
    readFile: (name) => (name === path ? text : ts.sys.readFile(name)),
    directoryExists: ts.sys.directoryExists,
    getDirectories: ts.sys.getDirectories,
    ...(ts.sys.realpath && { realpath: ts.sys.realpath })
  }
  const service = ts.createLanguageService(host)
  const shown = names.map((name) => {
    const at = text.search(new RegExp(`\\b${name}\\b`))
    const parts = service.getQuickInfoAtPosition(path, at)?.displayParts
    return [name, ts.displayPartsToString(parts).replace(/\s+/g, " ")] as const
  })
  return Object.fromEntries(shown)
}
