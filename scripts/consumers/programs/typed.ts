import { connect } from "@stepgraph/server/client"
import { explorePromise } from "@stepgraph/testing"
import { toMermaid } from "@stepgraph/viz"
import { flow, seed } from "./seed.js"

export const result: Promise<string> = seed()
export const drawn: string = toMermaid(flow)
export const explored = explorePromise(flow)
export const called = connect<typeof flow>
// @ts-expect-error The seed flow's start event has no fields.
export const wrong = connect<typeof flow>({ url: 1 })
