/**
 * Every order of a workflow, tried by the project's own `@stepgraph/testing`: most programs run without it.
 */
import type { Explore } from "@stepgraph/server"
import * as Effect from "effect/Effect"
import { urlOf } from "../packages.ts"

/** `explore`, or how to get it. */
export const exploreOf = (files: ReadonlyArray<string>): Explore | string => {
  const url = urlOf("@stepgraph/testing", files)
  if (url === undefined) {
    return "Trying every order needs a package that is not installed. Run npm install --save-dev @stepgraph/testing, and start this command again."
  }
  return (flow, options) =>
    Effect.flatMap(
      Effect.promise((): Promise<{ readonly explore: Explore }> => import(url)),
      ({ explore }) => explore(flow, options)
    )
}
