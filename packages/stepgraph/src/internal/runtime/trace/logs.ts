/**
 * Annotations that name the origin of a step's logs.
 */
import * as Context from "effect/Context"
import { CurrentLogAnnotations } from "effect/References"

export const annotated = (
  context: Context.Context<never>,
  workflow: string,
  step: string,
  run: string
): Context.Context<never> =>
  Context.add(context, CurrentLogAnnotations, {
    ...Context.get(context, CurrentLogAnnotations),
    "stepgraph.workflow": workflow,
    "stepgraph.step": step,
    "stepgraph.run": run
  })
