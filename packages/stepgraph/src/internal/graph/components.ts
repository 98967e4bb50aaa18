/**
 * The cycles of a directed graph.
 */

/**
 * The strongly connected components (Tarjan), without recursion, so a long chain does not overflow the stack. Returns
 * the number of each vertex's component; an edge leads to a larger number or stays in its component.
 */
export const componentsOf = (size: number, next: (vertex: number) => ReadonlyArray<number>): Int32Array => {
  const found = new Int32Array(size).fill(-1)
  const order = new Int32Array(size).fill(-1)
  const lowest = new Int32Array(size)
  const open: Array<number> = []
  let visited = 0
  let components = 0

  const visit = (root: number): void => {
    const path: Array<{ readonly vertex: number; readonly successors: ReadonlyArray<number>; at: number }> = []
    const enter = (vertex: number): void => {
      order[vertex] = visited
      lowest[vertex] = visited++
      open.push(vertex)
      path.push({ vertex, successors: next(vertex), at: 0 })
    }
    enter(root)
    for (let here = path.at(-1); here !== undefined; here = path.at(-1)) {
      const { vertex, successors } = here
      if (here.at < successors.length) {
        const successor = successors[here.at++]!
        if (order[successor] === -1) enter(successor)
        else if (found[successor] === -1) lowest[vertex] = Math.min(lowest[vertex]!, order[successor]!)
        continue
      }
      path.pop()
      const from = path.at(-1)
      if (from !== undefined) lowest[from.vertex] = Math.min(lowest[from.vertex]!, lowest[vertex]!)
      if (lowest[vertex] !== order[vertex]) continue
      for (;;) {
        const member = open.pop()!
        found[member] = components
        if (member === vertex) break
      }
      components++
    }
  }
  for (let vertex = 0; vertex < size; vertex++) if (order[vertex] === -1) visit(vertex)
  // Components close from the end of the graph to its beginning.
  return found.map((component) => components - 1 - component)
}
