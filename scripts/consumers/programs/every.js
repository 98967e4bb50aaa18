// Every order of the seed flow, with the package for tests.
import { explorePromise } from "@stepgraph/testing"
import { flow, seed } from "./seed.js"

const { complete, schedules } = await explorePromise(flow)
if (!complete || schedules < 1) throw new Error(`explored ${schedules} schedules, complete: ${complete}`)
console.log(await seed())
