// The clients in this process.
import { connect } from "@stepgraph/server/client"
import { connect as connectEffect } from "@stepgraph/server/client-effect"
import type { Clients } from "./doors.ts"

export const inNode: Clients = { promise: (options) => connect(options), effect: (options) => connectEffect(options) }
