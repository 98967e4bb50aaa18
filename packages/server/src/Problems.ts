/**
 * What the server answers if it cannot do what was asked: problems as in RFC 9457.
 */

import * as HttpApiError from "effect/http-api/HttpApiError"
import * as Schema from "effect/Schema"

const urn = <const Name extends string>(name: Name): `urn:stepgraph:problem:${Name}` => `urn:stepgraph:problem:${name}`

/** There is no such run or workflow, or it is not for this user. */
export class NotFound extends HttpApiError.Problem<NotFound>()("NotFound", {
  type: urn("not-found"),
  status: 404,
  title: "There is nothing here, or nothing that you may see"
}) {}

/** This user may not start runs of this workflow. */
export class Refused extends HttpApiError.Problem<Refused>()("Refused", {
  type: urn("refused"),
  status: 403,
  title: "You may not do this"
}) {}

/** The event does not fit its schema, or the run does not take it. */
export class InvalidEventProblem extends HttpApiError.Problem<InvalidEventProblem>()(
  "InvalidEventProblem",
  { type: urn("invalid-event"), status: 422, title: "The event does not fit its schema" },
  { tag: Schema.String, problem: Schema.String }
) {}

/** The run has ended, or its inputs are closed. */
export class RunEndedProblem extends HttpApiError.Problem<RunEndedProblem>()(
  "RunEndedProblem",
  { type: urn("run-ended"), status: 409, title: "The run has ended or its inputs are closed" },
  { workflow: Schema.String }
) {}

/** A run that goes on cannot be deleted. */
export class StillRunning extends HttpApiError.Problem<StillRunning>()("StillRunning", {
  type: urn("still-running"),
  status: 409,
  title: "The run has not ended: interrupt it first"
}) {}

/** The server tries every order of a workflow, of one at a time. */
export class StillExploring extends HttpApiError.Problem<StillExploring>()("StillExploring", {
  type: urn("still-exploring"),
  status: 409,
  title: "Another exploration goes on: wait for its end, or cancel it"
}) {}

/** The server does not try every order of a workflow. */
export class NotExploring extends HttpApiError.Problem<NotExploring>()("NotExploring", {
  type: urn("not-exploring"),
  status: 501,
  title: "This server does not try every order of a workflow"
}) {}

/** The same `Idempotency-Key` came with another input. */
export class KeyReused extends HttpApiError.Problem<KeyReused>()("KeyReused", {
  type: urn("key-reused"),
  status: 422,
  title: "This Idempotency-Key was used with another input"
}) {}

/** As many runs as the server accepts are running. */
export class TooManyRuns extends HttpApiError.Problem<TooManyRuns>()("TooManyRuns", {
  type: urn("too-many-runs"),
  status: 503,
  title: "Too many runs at once: try again later"
}) {}

/** As many streams as the server accepts are open. */
export class TooManyStreams extends HttpApiError.Problem<TooManyStreams>()("TooManyStreams", {
  type: urn("too-many-streams"),
  status: 503,
  title: "Too many streams at once: try again later"
}) {}

/** A parameter of the request is invalid. */
export class BadQuery extends HttpApiError.Problem<BadQuery>()("BadQuery", {
  type: urn("bad-query"),
  status: 400,
  title: "A parameter is invalid"
}) {}

const titles: Readonly<Record<number, string>> = {
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  408: "Request Timeout",
  413: "Content Too Large",
  415: "Unsupported Media Type",
  503: "Service Unavailable"
}

/** A problem outside the declared ones, as a web-standard response. */
export const problem = (status: number, detail?: string, headers?: Readonly<Record<string, string>>): Response =>
  new Response(
    JSON.stringify({
      type: "about:blank",
      status,
      title: titles[status] ?? "Internal Server Error",
      ...(detail === undefined ? undefined : { detail })
    }),
    { status, headers: { "content-type": "application/problem+json", ...headers } }
  )
