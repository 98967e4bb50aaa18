/**
 * Workflows over HTTP.
 *
 * @module server
 */
export { api, type ServerStatus } from "./Api.ts"
export { type Auth, bearer, type Identity } from "./Auth.ts"
export type { Exploration, Explore, FoundOrder } from "./Exploration.ts"
export type { MemoryOptions } from "./internal/memory-runs.ts"
export { keptRuns } from "./KeptRuns.ts"
export {
  BadQuery,
  InvalidEventProblem,
  KeyReused,
  NotExploring,
  NotFound,
  Refused,
  RunEndedProblem,
  StillExploring,
  StillRunning,
  TooManyRuns,
  TooManyStreams
} from "./Problems.ts"
export type { Protocol } from "./Protocol.ts"
export type {
  Feed,
  ListQuery,
  LogLine,
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
