/**
 * Abort reasons for a step's signal, other than timeouts and the caller's own reason.
 */
import type { Node } from "../../graph/graph.ts"

/** An `AbortError`, by which code distinguishes a cancellation from its own failure. */
export const aborted = (message: string, cause?: unknown): DOMException => {
  const reason = new DOMException(message, "AbortError")
  if (cause !== undefined) Object.defineProperty(reason, "cause", { value: cause, configurable: true, writable: true })
  return reason
}

const ended = new WeakMap<Node, DOMException>()

/** Cached per step: it takes 4 µs, and each end of a step that uses its signal needs it. */
export const stepEnded = ({ node, run }: { readonly node: Node; readonly run: { readonly workflow: string } }) => {
  let reason = ended.get(node)
  if (reason === undefined) {
    reason = aborted(`step '${node.name}' of workflow '${run.workflow}' has ended`)
    ended.set(node, reason)
  }
  return reason
}
