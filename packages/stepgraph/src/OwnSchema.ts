/**
 * Whether a schema, with everything inside it, comes from the copy of effect that stepgraph uses.
 */
import * as Schema from "effect/Schema"
import type { AST } from "effect/SchemaAST"
import { alternatives, inside } from "./Secrets.ts"

/** Identifies the copy of effect that made a schema node: the common prototype of its nodes. */
export const copyOf = (ast: object): object => {
  const prototype = Object.getPrototypeOf(ast)
  return prototype === null || prototype === Object.prototype ? ast : copyOf(prototype)
}

let ownCopy: object | undefined

/** How many nodes are checked without caching, which would take longer than everything else. */
const fewNodes = 64
/** Nodes of larger schemas that are completely own: many events may share such a schema. */
const own = /*#__PURE__*/ new WeakSet<AST>()

/** A suspended schema may unfold into new suspended schemas forever. */
const mostNodes = 10_000

/** A schema from another copy looks the same, but silently parses to wrong values. */
export const isForeign = ({ ast }: Schema.Top): boolean => {
  ownCopy ??= copyOf(Schema.String.ast)
  const nodes: Array<AST> = []
  const look = (node: AST): void => {
    if (nodes.length >= fewNodes) {
      if (own.has(node)) return
      own.add(node)
    }
    nodes.push(node)
  }
  look(ast)
  for (let i = 0; i < nodes.length && i < mostNodes; i++) {
    const node = nodes[i]!
    if (copyOf(node) !== ownCopy) {
      for (const node of nodes) own.delete(node)
      return true
    }
    try {
      alternatives(node).forEach(look)
    } catch {
      // A suspended schema that is not available yet, such as the event's own. It is defined in the same program.
    }
    inside(node).forEach(look)
    if (node._tag === "Objects") node.indexSignatures.forEach(({ parameter }) => look(parameter))
    if (node._tag === "TemplateLiteral") node.parts.forEach(look)
  }
  return false
}

export const foreignInWords =
  "has a schema from another copy of effect than stepgraph uses: install effect only once (`npm ls effect` lists the copies)"
