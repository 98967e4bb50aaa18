import { Validator } from "@seriousme/openapi-schema-validator"
import { serve } from "@stepgraph/server"
import { expect, it } from "vitest"
import { publish } from "./flows.ts"

it("the OpenAPI document is valid, and describes every route and what it answers", async () => {
  await using handler = serve({ workflows: [publish], auth: "none", path: "/flows" })
  const response = await handler(new Request("http://localhost/flows/openapi.json"))
  expect(response.headers.get("content-type")).toContain("application/json")
  const document: any = await response.json()
  const validator = new Validator()
  expect(await validator.validate(structuredClone(document))).toEqual({ valid: true })
  expect(document.openapi).toMatch(/^3\.1\./)
  // Relative to the document, so that it is right under any path.
  expect(document.servers).toEqual([{ url: "." }])
  const routes = Object.entries(document.paths).flatMap(([path, methods]: any) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`)
  )
  expect(routes.sort()).toEqual(
    [
      "GET /api/workflows",
      "GET /api/workflows/{name}",
      "POST /api/workflows/{name}/runs",
      "GET /api/runs",
      "GET /api/runs/{id}",
      "GET /api/runs/{id}/workflow",
      "GET /api/runs/{id}/events",
      "GET /api/runs/{id}/trace",
      "POST /api/runs/{id}/inputs",
      "POST /api/runs/{id}/inputs/close",
      "POST /api/runs/{id}/interrupt",
      "POST /api/runs/{id}/rerun",
      "DELETE /api/runs/{id}",
      "GET /api/compare",
      "GET /api/status",
      "POST /api/workflows/{name}/exploration",
      "GET /api/exploration",
      "POST /api/exploration/cancel"
    ].sort()
  )
  const input = document.paths["/api/runs/{id}/inputs"].post.responses
  expect(Object.keys(input).sort()).toEqual(["202", "400", "404", "409", "422", "500"])
  expect(Object.keys(input[409].content)).toEqual(["application/problem+json"])
  expect(Object.keys(document.paths["/api/runs/{id}/events"].get.responses[200].content).sort()).toEqual([
    "application/x-ndjson",
    "text/event-stream"
  ])
})
