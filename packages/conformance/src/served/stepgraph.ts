// What the core's own tests import where their runs are on a server.
// biome-ignore lint/style/noRestrictedImports: the name `stepgraph` is this module there.
export * from "../../../stepgraph/src/index.ts"
export { launch, launchPromise } from "./doors.ts"
