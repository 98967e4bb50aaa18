/**
 * Finds secrets according to a schema: `Schema.Redacted`, anywhere inside it. A refused value may contain a secret as
 * plain text, because it was not wrapped, or because it is JSON from outside.
 */
import type { AST } from "effect/SchemaAST"
import * as SchemaIssue from "effect/SchemaIssue"
import type { Secret } from "./Look.ts"

const isRedacted = ({ annotations }: AST): boolean =>
  (annotations?.representation as { readonly id?: unknown } | undefined)?.id === "effect/schema/Redacted"

/** Alternatives for the same place: members of a union, and encoded forms. */
export const alternatives = (ast: AST): ReadonlyArray<AST> => {
  const encoded = (ast.encoding ?? []).map(({ to }) => to)
  if (ast._tag === "Union") return [...ast.types, ...encoded]
  return ast._tag === "Suspend" ? [ast.thunk(), ...encoded] : encoded
}

/** Parts of a value, by key if they have one. */
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
  // This set grows while it is walked.
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
  // The internal layout of a class or an Option is unknown.
  if (here.some((ast) => isRedacted(ast) || (ast._tag === "Declaration" && holdsSecret([ast])))) return everything
  return {
    whole: false,
    at: (key) => {
      const there = here.flatMap((ast) => inside(ast, key))
      // An unknown key may be a misspelt secret.
      return there.length === 0 ? everything : secretIn(there)
    }
  }
}

/** The secret parts of a value that a schema refused; `undefined` if there are none. */
export const secretOf = (schema: { readonly ast: AST }): Secret | undefined => secretIn([schema.ast])

const format = SchemaIssue.makeFormatterDefault()
const issuesOf = SchemaIssue.makeFormatterStandardSchemaV1()
/** Omits the messages of checks, which may quote the value. */
const carefulIssuesOf = SchemaIssue.makeFormatterStandardSchemaV1({
  leafHook: (issue) =>
    issue._tag === "InvalidType" || issue._tag === "MissingKey"
      ? SchemaIssue.defaultLeafHook(issue)
      : "Expected a valid value",
  checkHook: () => "Expected a valid value"
})

/** Formats an issue without quoting secrets. */
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
