/**
 * Whether a schema comes from the copy of effect that stepgraph itself uses, with everything inside it.
 */
import * as Schema from "effect/Schema"
import type { AST } from "effect/SchemaAST"
import { alternatives, inside } from "./Secrets.ts"

/** Stands for the copy of effect that has made a node of a schema: the prototype that all its nodes have in common. */
export const copyOf = (ast: object): object => {
  const prototype = Object.getPrototypeOf(ast)
  return prototype === null || prototype === Object.prototype ? ast : copyOf(prototype)
}

let ownCopy: object | undefined

/** How many nodes of a schema are looked at without keeping them, which would take longer than all the rest. */
const fewNodes = 64
/** Nodes of larger schemas that are own throughout: such a schema may be shared by many events. */
const own = /*#__PURE__*/ new WeakSet<AST>()

/** A schema may be suspended for ever, each time in another. */
const mostNodes = 10_000

/** Another copy's looks the same, and what it parses comes out as something else without a word. */
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
      // A suspended schema that is not there yet, such as that of the event itself. It is defined in the same program.
    }
    inside(node).forEach(look)
    if (node._tag === "Objects") node.indexSignatures.forEach(({ parameter }) => look(parameter))
    if (node._tag === "TemplateLiteral") node.parts.forEach(look)
  }
  return false
}

export const foreignInWords =
  "has a schema of another copy of effect than the one that stepgraph uses: install one alone, `npm ls effect` shows them"
