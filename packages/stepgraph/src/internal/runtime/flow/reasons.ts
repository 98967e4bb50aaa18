/**
 * Why a step's signal is aborted, where it is neither a timeout nor the reason of whoever called the run.
 */
import type { Node } from "../../graph/graph.ts"

/** An `AbortError`, by which code tells that it was cancelled from a failure of its own, wherever it comes from. */
export const aborted = (message: string, cause?: unknown): DOMException => {
  const reason = new DOMException(message, "AbortError")
  if (cause !== undefined) Object.defineProperty(reason, "cause", { value: cause, configurable: true, writable: true })
  return reason
}

const ended = new WeakMap<Node, DOMException>()

/** Made once for a step: it takes 4 µs, and is needed at each end of a step that has asked for its signal. */
export const stepEnded = ({ node, run }: { readonly node: Node; readonly run: { readonly workflow: string } }) => {
  let reason = ended.get(node)
  if (reason === undefined) {
    reason = aborted(`step '${node.name}' of workflow '${run.workflow}' has ended`)
    ended.set(node, reason)
  }
  return reason
}
