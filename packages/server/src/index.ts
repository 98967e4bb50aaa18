/**
 * Workflows over HTTP.
 *
 * @module server
 */
export { api, type ServerStatus } from "./Api.ts"
export { type Auth, bearer, type Identity } from "./Auth.ts"
export type { MemoryOptions } from "./internal/memory-runs.ts"
export {
  BadQuery,
  InvalidEventProblem,
  KeyReused,
  NotFound,
  Refused,
  RunEndedProblem,
  StillRunning,
  TooManyRuns,
  TooManyStreams
} from "./Problems.ts"
export type { Protocol } from "./Protocol.ts"
export type {
  Feed,
  ListQuery,
  Page,
  RunDetail,
  RunFailure,
  RunPage,
  RunSummary,
  Runs,
  ServedRun,
  Starting,
  Status,
  StreamRecord
} from "./Runs.ts"
export { type Handler, layerServe, makeHandler, type ServeOptions, serve } from "./Serve.ts"
