/**
 * Forms from JSON Schemas: what kind of field a schema asks for, and a first value for it.
 */
import type { Json, SchemaDocument } from "./api.ts"

export type Field =
  | { readonly kind: "text"; readonly nullable: boolean; readonly long: boolean; readonly hint: string }
  | { readonly kind: "number"; readonly nullable: boolean; readonly integer: boolean; readonly hint: string }
  | { readonly kind: "boolean"; readonly nullable: boolean; readonly hint: string }
  | {
      readonly kind: "choice"
      readonly options: ReadonlyArray<Json>
      readonly nullable: boolean
      readonly hint: string
    }
  | {
      readonly kind: "object"
      readonly properties: ReadonlyArray<Property>
      readonly nullable: boolean
      readonly hint: string
    }
  | { readonly kind: "list"; readonly item: Field; readonly nullable: boolean; readonly hint: string }
  /** Anything else is written as JSON. */
  | { readonly kind: "json"; readonly nullable: boolean; readonly hint: string }

export interface Property {
  readonly name: string
  readonly field: Field
  readonly required: boolean
}

type Node = Record<string, any>

const notFinite = new Set(["Infinity", "-Infinity", "NaN"])
/** Deeper schemas, such as recursive ones, are written as JSON. */
const deepest = 5

/** The form of an event, without its tag; `undefined` if its schema says nothing of use. */
export const formOf = (document: SchemaDocument | null | undefined): Field | undefined => {
  if (document === null || document === undefined) return undefined
  const field = fieldOf(document.schema as Node, document.definitions as Record<string, Node>, 0)
  return field.kind === "object" ? field : undefined
}

const resolved = (node: Node, definitions: Record<string, Node>): Node => {
  for (let i = 0; i < 20 && typeof node?.$ref === "string"; i++) {
    const name = node.$ref.split("/").at(-1)!.replaceAll("~1", "/").replaceAll("~0", "~")
    node = definitions[decodeURIComponent(name)] ?? {}
  }
  return node ?? {}
}

const fieldOf = (given: Node, definitions: Record<string, Node>, depth: number): Field => {
  let node = resolved(given, definitions)
  if (Array.isArray(node.allOf)) {
    node = Object.assign({}, ...node.allOf.map((part: Node) => resolved(part, definitions)), {
      ...node,
      allOf: undefined
    })
  }
  const hint = String(node.description ?? given.description ?? "")
  const union: ReadonlyArray<Node> | undefined = node.anyOf ?? node.oneOf
  if (union !== undefined) {
    const members = union.map((member) => resolved(member, definitions))
    const nullable = members.some(({ type }) => type === "null")
    // Numbers that JSON cannot say have words for them; nobody types them into a form.
    const rest = members.filter(
      ({ enum: words, type }) =>
        type !== "null" && !(Array.isArray(words) && words.every((word) => notFinite.has(word)))
    )
    if (rest.length === 1) return { ...fieldOf({ description: hint, ...rest[0] }, definitions, depth), nullable }
    const constants = rest.map(({ const: only, enum: some }) => some ?? (only === undefined ? undefined : [only]))
    if (rest.length > 0 && constants.every((some) => some !== undefined)) {
      return { kind: "choice", options: constants.flat(), nullable, hint }
    }
    return { kind: "json", nullable, hint }
  }
  const base = { nullable: false, hint }
  if (Array.isArray(node.enum)) return { kind: "choice", options: node.enum, ...base }
  if (node.const !== undefined) return { kind: "choice", options: [node.const], ...base }
  switch (node.type) {
    case "string":
      return { kind: "text", long: (node.maxLength ?? 0) > 200, ...base }
    case "number":
    case "integer":
      return { kind: "number", integer: node.type === "integer", ...base }
    case "boolean":
      return { kind: "boolean", ...base }
    case "array":
      return depth >= deepest || node.items === undefined || node.prefixItems !== undefined
        ? { kind: "json", ...base }
        : { kind: "list", item: fieldOf(node.items, definitions, depth + 1), ...base }
    case "object": {
      if (depth >= deepest || node.properties === undefined) return { kind: "json", ...base }
      const required = new Set<string>(node.required ?? [])
      const properties = Object.entries<Node>(node.properties)
        .filter(([name]) => depth > 0 || name !== "_tag")
        .map(([name, of]) => ({ name, field: fieldOf(of, definitions, depth + 1), required: required.has(name) }))
      return { kind: "object", properties, ...base }
    }
    default:
      return { kind: "json", ...base }
  }
}

/** A value to begin with. */
export const emptyOf = (field: Field): Json => {
  if (field.nullable) return null
  switch (field.kind) {
    case "text":
      return ""
    case "number":
      return 0
    case "boolean":
      return false
    case "choice":
      return field.options[0]
    case "list":
      return []
    case "json":
      return null
    case "object":
      return Object.fromEntries(
        field.properties.filter(({ required }) => required).map(({ field, name }) => [name, emptyOf(field)])
      )
  }
}
