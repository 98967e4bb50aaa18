// What the core's own tests import in durable mode.
// biome-ignore lint/style/noRestrictedImports: the name `stepgraph` is this module there.
export * from "../../../stepgraph/src/index.ts"
export { launch, launchPromise, run, runPromise } from "./doors.ts"
