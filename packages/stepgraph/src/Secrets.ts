/**
 * What a schema says is secret: `Schema.Redacted`, wherever it stands. What was refused may hold such a value in the
 * clear, because it was not wrapped, or because it is JSON from outside.
 */
import type { AST } from "effect/SchemaAST"
import * as SchemaIssue from "effect/SchemaIssue"
import type { Secret } from "./Look.ts"

const isRedacted = ({ annotations }: AST): boolean =>
  (annotations?.representation as { readonly id?: unknown } | undefined)?.id === "effect/schema/Redacted"

/** What may stand in the same place as this: members of a union, and what it is encoded as. */
export const alternatives = (ast: AST): ReadonlyArray<AST> => {
  const encoded = (ast.encoding ?? []).map(({ to }) => to)
  if (ast._tag === "Union") return [...ast.types, ...encoded]
  return ast._tag === "Suspend" ? [ast.thunk(), ...encoded] : encoded
}

/** What may stand inside it, by its key where it has one. */
export const inside = (ast: AST, key?: string): ReadonlyArray<AST> => {
  switch (ast._tag) {
    case "Declaration":
      return ast.typeParameters
    case "Arrays":
      return [...ast.elements, ...ast.rest]
    case "Objects":
      return [
        ...ast.propertySignatures.filter(({ name }) => key === undefined || name === key),
        ...ast.indexSignatures
      ].map(({ type }) => type)
    default:
      return []
  }
}

const withAlternatives = (asts: ReadonlyArray<AST>): ReadonlyArray<AST> => {
  // A set that grows while it is walked.
  const all = new Set(asts)
  for (const ast of all) for (const other of alternatives(ast)) all.add(other)
  return [...all]
}

const holdsSecret = (asts: ReadonlyArray<AST>): boolean => {
  const all = new Set(asts)
  for (const ast of all) {
    if (isRedacted(ast)) return true
    for (const other of [...alternatives(ast), ...inside(ast)]) all.add(other)
  }
  return false
}

const everything: Secret = { whole: true, at: () => everything }

const secretIn = (asts: ReadonlyArray<AST>): Secret | undefined => {
  if (!holdsSecret(asts)) return undefined
  const here = withAlternatives(asts)
  // What a class or an Option makes of what is inside of it cannot be known.
  if (here.some((ast) => isRedacted(ast) || (ast._tag === "Declaration" && holdsSecret([ast])))) return everything
  return {
    whole: false,
    at: (key) => {
      const there = here.flatMap((ast) => inside(ast, key))
      // A key that the schema does not know may be a secret's, misspelt.
      return there.length === 0 ? everything : secretIn(there)
    }
  }
}

/** What may not be shown of a value that a schema has refused; `undefined` where everything may. */
export const secretOf = (schema: { readonly ast: AST }): Secret | undefined => secretIn([schema.ast])

const format = SchemaIssue.makeFormatterDefault()
const issuesOf = SchemaIssue.makeFormatterStandardSchemaV1()
/** Without the words of checks, which may quote what they check. */
const carefulIssuesOf = SchemaIssue.makeFormatterStandardSchemaV1({
  leafHook: (issue) =>
    issue._tag === "InvalidType" || issue._tag === "MissingKey"
      ? SchemaIssue.defaultLeafHook(issue)
      : "Expected a valid value",
  checkHook: () => "Expected a valid value"
})

/** An issue in words, which quote nothing of what is secret. */
export const issueInWords = (issue: SchemaIssue.Issue, secret: Secret | undefined): string => {
  if (secret === undefined) return format(issue)
  const careful = carefulIssuesOf(issue).issues
  return issuesOf(issue)
    .issues.map(({ message, path = [] }, index) => {
      const keys = path.map((part) => (typeof part === "object" ? part.key : part))
      const there = keys.reduce((secret: Secret | undefined, key) => secret?.at(String(key)), secret)
      const where = keys.map((key) => `[${typeof key === "string" ? JSON.stringify(key) : String(key)}]`).join("")
      return `${there === undefined ? message : careful[index]!.message}${where === "" ? "" : `\n  at ${where}`}`
    })
    .join("\n")
}
