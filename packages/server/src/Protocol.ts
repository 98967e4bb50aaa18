/**
 * Other protocols under which runs are reached, beside the routes.
 */
import type { HttpRouter } from "effect/http/HttpRouter"
import type { Layer } from "effect/Layer"
import type { Served } from "./internal/access.ts"

/** What `mcp` and `chat` make for the option `protocols` of `serve`. */
export interface Protocol {
  /** How errors call it. */
  readonly name: string
  /** The workflow that it needs, if it is for one. */
  readonly workflow?: string | undefined
  /** @internal */
  readonly routes: (served: Served) => Layer<never, never, HttpRouter>
}
