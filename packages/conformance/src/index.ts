// For the tests of other packages: random workflows, and runs of them.
export * from "./generate.ts"
export { generated } from "./laws.ts"
export { memory } from "./memory.ts"
export { round, searched, share } from "./search.ts"
export { type Spec, show } from "./spec.ts"
export { buildWorkflow, type Live, makeWorld, sendAll } from "./world.ts"
