// The templates, in place: their own tests, and what they need.
import { execFile } from "node:child_process"
import { once } from "node:events"
import { globSync, readFileSync } from "node:fs"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { join } from "node:path"
import { promisify } from "node:util"
import { expect, it, onTestFinished } from "vitest"
import { openAiModel } from "../templates/agent/src/model.ts"

const folder = join(import.meta.dirname, "..")
const json = (file: string) => JSON.parse(readFileSync(join(folder, file), "utf8"))
const manifests = globSync("templates/*/package.json", { cwd: folder }).map(json)

it("the templates pass their own tests", async () => {
  const files = globSync("templates/*/src/*.test.ts", { cwd: folder })
  // Tests that run inside of Node's own runner would otherwise report to it.
  const env = { ...process.env, NODE_TEST_CONTEXT: undefined, NODE_OPTIONS: undefined }
  // The name of this option on Node 22, and still on 24.
  const args = ["--test", "--experimental-test-isolation=none", "--test-reporter=tap", ...files]
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: folder, env }).catch((error) => error)
  expect(stdout).toMatch(/^# pass [1-9]/m)
  expect(stdout).toMatch(/^# fail 0$/m)
})

it("takes the versions of stepgraph's packages from its own manifest, where packing puts those of the release", () => {
  const { name, devDependencies } = json("package.json")
  const needed = new Set<string>()
  for (const { dependencies, devDependencies } of manifests) {
    for (const [name, range] of Object.entries({ ...dependencies, ...devDependencies })) {
      if (/^(@stepgraph\/|stepgraph$)/.test(name)) expect([name, range]).toEqual([name, "workspace:^"])
      if (range === "workspace:^") needed.add(name)
    }
  }
  expect(manifests).toHaveLength(3)
  for (const package_ of needed) expect(devDependencies).toHaveProperty([package_], "workspace:^")

  // A release of one of them is one of this package, too: otherwise it would go on to create projects with the last.
  const { fixed } = json("../../.changeset/config.json")
  expect(fixed[0]).toEqual(expect.arrayContaining([name, ...needed]))
})

it("templates need the versions of other packages that this repository tests", () => {
  const { devDependencies: tested } = json("../../package.json")
  const { dependencies: ofCommand } = json("../cli/package.json")
  const { peerDependencies } = json("../stepgraph/package.json")
  const major = (version: string) => version.replace("^", "").split(".")[0]
  for (const { dependencies, devDependencies } of manifests) {
    expect(dependencies.effect).toBe(peerDependencies.effect)
    expect(dependencies.jiti).toBe(`^${ofCommand.jiti}`)
    for (const name of ["typescript", "@types/node"]) expect(major(devDependencies[name])).toBe(major(tested[name]))
  }
})

it("the agent's model speaks OpenAI's protocol, and says what a server answers instead", async () => {
  const heard: Array<unknown> = []
  const replies: Array<readonly [status: number, body: object]> = [
    [
      200,
      {
        choices: [
          {
            message: {
              content: null,
              tool_calls: [{ id: "1", type: "function", function: { name: "read", arguments: "{}" } }]
            }
          }
        ]
      }
    ],
    [200, { choices: [{ message: { content: "Done." } }] }],
    [401, { error: { message: "wrong key" } }]
  ]
  const server = createServer(async (request, response) => {
    let body = ""
    for await (const part of request) body += part
    heard.push({ url: request.url, key: request.headers.authorization, body: JSON.parse(body) })
    const [status, reply] = replies[heard.length - 1]!
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(reply))
  }).listen(0, "127.0.0.1")
  await once(server, "listening")
  onTestFinished(() => {
    server.close()
    server.closeAllConnections()
  })
  const tool = { about: "reads", parameters: { type: "object" }, dangerous: false, run: async () => "" }
  const baseURL = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/`
  const model = openAiModel({ baseURL, apiKey: "a-key", model: "small", tools: { read: tool } })
  const { signal } = new AbortController()

  const call = { id: "1", tool: "read", input: "{}" }
  const user = { role: "user" as const, text: "Go." }
  expect(await model([user], signal)).toEqual({ text: "", calls: [call] })
  const conversation = [user, { role: "assistant" as const, text: "", calls: [call] }]
  const result = { role: "tool" as const, call: "1", text: "ok" }
  expect(await model([...conversation, result], signal)).toEqual({ text: "Done.", calls: [] })
  const wired = { id: "1", type: "function", function: { name: "read", arguments: "{}" } }
  expect(heard[1]).toEqual({
    url: "/v1/chat/completions",
    key: "Bearer a-key",
    body: {
      model: "small",
      messages: [
        { role: "user", content: "Go." },
        { role: "assistant", content: "", tool_calls: [wired] },
        { role: "tool", tool_call_id: "1", content: "ok" }
      ],
      tools: [{ type: "function", function: { name: "read", description: "reads", parameters: { type: "object" } } }]
    }
  })
  await expect(model([user], signal)).rejects.toThrow('the model answered 401: {"error":{"message":"wrong key"}}')
})
