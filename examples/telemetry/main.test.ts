// The telemetry that a collector receives from the program.
import { execFile } from "node:child_process"
import { createServer, type IncomingMessage } from "node:http"
import type { AddressInfo } from "node:net"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { afterAll, beforeAll, describe, expect, it } from "vitest"

const main = fileURLToPath(new URL("./main.ts", import.meta.url))
const runExample = (endpoint: string) =>
  promisify(execFile)(process.execPath, [main], { env: { ...process.env, OTEL_EXPORTER_OTLP_ENDPOINT: endpoint } })

interface Value {
  readonly stringValue?: string
  readonly intValue?: number
  readonly doubleValue?: number
  readonly arrayValue?: { readonly values: ReadonlyArray<Value> }
}
type Attributes = ReadonlyArray<{ readonly key: string; readonly value: Value }>
interface Span {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly name: string
  readonly startTimeUnixNano: string
  readonly endTimeUnixNano: string
  readonly attributes: Attributes
  readonly links: ReadonlyArray<{ readonly spanId: string }>
  readonly events: ReadonlyArray<{ readonly name: string }>
  readonly status: { readonly code: number }
}

const read = async (request: IncomingMessage) => {
  const chunks: Array<Buffer> = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return JSON.parse(Buffer.concat(chunks).toString())
}

/** A collector that accepts posts to the three paths of OTLP over HTTP. */
const received: Record<string, Array<any>> = { "/v1/traces": [], "/v1/metrics": [], "/v1/logs": [] }
const collector = createServer(async (request, response) => {
  received[request.url!]?.push(await read(request))
  response.writeHead(200, { "content-type": "application/json" }).end("{}")
})
let spans: ReadonlyArray<Span> = []

beforeAll(async () => {
  await new Promise<void>((resume) => collector.listen(0, resume))
  await runExample(`http://localhost:${(collector.address() as AddressInfo).port}`)
  spans = received["/v1/traces"]!.flatMap(({ resourceSpans }) =>
    resourceSpans.flatMap(({ scopeSpans }: any) => scopeSpans.flatMap(({ spans }: any) => spans))
  )
}, 60_000)
afterAll(() => void collector.close())

const named = (name: string) => spans.filter((span) => span.name === name)
const attribute = (span: { readonly attributes: Attributes }, key: string) => {
  const value = span.attributes.find((attribute) => attribute.key === key)?.value
  return (
    value?.stringValue ?? value?.doubleValue ?? (value?.intValue === undefined ? undefined : Number(value.intValue))
  )
}

describe("the collector", () => {
  it("receives one trace with spans for the run, each invocation, and the steps' own work", () => {
    expect(spans.map(({ name }) => name).sort()).toEqual([
      ...["GET", "GET", "GET", "GET"],
      ...["step fetch", "step fetch", "step fetch"],
      ...["step plan", "step put", "workflow download"]
    ])
    expect(new Set(spans.map(({ traceId }) => traceId)).size).toBe(1)
  })

  it("receives them as a tree: run, invocation, the step's work", () => {
    const [top] = named("workflow download")
    expect(top!.parentSpanId ?? "").toBe("")
    for (const name of ["step plan", "step fetch", "step put"]) {
      for (const span of named(name)) expect(span.parentSpanId).toBe(top!.spanId)
    }
    const fetches = new Set(named("step fetch").map(({ spanId }) => spanId))
    for (const span of named("GET")) expect(fetches).toContain(span.parentSpanId)
  })

  it("receives links from a join to its events' producers", () => {
    expect(new Set(named("step put")[0]!.links.map(({ spanId }) => spanId))).toEqual(
      new Set(named("step fetch").map(({ spanId }) => spanId))
    )
  })

  it("receives attempts, waits and times", () => {
    const fetches = named("step fetch")
    expect(fetches.map((span) => attribute(span, "stepgraph.attempt")).sort()).toEqual([1, 1, 2])
    const retried = fetches.find((span) => attribute(span, "stepgraph.attempt") === 2)!
    expect(retried.events.map(({ name }) => name)).toEqual(["stepgraph.attempt.failed"])
    // With two workers, the third had to wait.
    const waits = fetches.map((span) => Number(attribute(span, "stepgraph.wait"))).sort((a, b) => a - b)
    expect(waits[2]).toBeGreaterThan(0.015)
    const [top] = named("workflow download")
    const took = Number(BigInt(top!.endTimeUnixNano) - BigInt(top!.startTimeUnixNano)) / 1e9
    expect(took).toBeGreaterThan(0.04)
    expect(top!.status.code).toBe(1)
  })

  it("receives histograms and gauges of each step", () => {
    const metrics: ReadonlyArray<any> = received["/v1/metrics"]!.at(-1).resourceMetrics.flatMap((resource: any) =>
      resource.scopeMetrics.flatMap((scope: any) => scope.metrics)
    )
    const points = (name: string): ReadonlyArray<any> =>
      metrics
        .filter((metric) => metric.name === name)
        .flatMap((metric) => (metric.histogram ?? metric.gauge ?? metric.sum).dataPoints)
    const of = (name: string, step: string) => points(name).find((point) => attribute(point, "step") === step)
    expect(metrics.find(({ name }) => name === "stepgraph.step.duration").unit).toBe("s")
    expect(Number(of("stepgraph.step.duration", "fetch").count)).toBe(3)
    expect(Number(of("stepgraph.step.wait", "fetch").count)).toBe(3)
    expect(points("stepgraph.run.duration")).toHaveLength(1)
    for (const gauge of ["stepgraph.step.queued", "stepgraph.step.busy"]) {
      expect(points(gauge).map((point) => Number(point.asInt ?? point.asDouble))).toEqual([0, 0, 0])
    }
  })

  it("receives the logs", () => {
    expect(JSON.stringify(received["/v1/logs"])).toContain("downloaded 42 bytes")
  })
})

it("a missing collector does not disturb the program", { timeout: 60_000 }, async () => {
  expect((await runExample("http://localhost:9")).stdout.trimEnd().split("\n").at(-1)).toBe("42 bytes")
})
