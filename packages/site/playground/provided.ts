/** The modules that a program in the playground can import, beside the parts of effect. */
export const provided = [
  "effect",
  "stepgraph",
  "stepgraph/graph",
  "stepgraph/trace",
  "@stepgraph/testing",
  "@stepgraph/viz",
  "node:timers/promises"
] as const

export const isProvided = (name: string): boolean =>
  (provided as ReadonlyArray<string>).includes(name) || /^effect\/[A-Z]\w*$/.test(name)
