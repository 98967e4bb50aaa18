import { setTimeout } from "node:timers/promises"
import { createWorkflow, type WorkflowEvent, workflowEvent } from "@llamaindex/workflow-core"
import { awaiting, type Candidate } from "../src/candidate.ts"
import { aliveMillis, chainLength } from "../src/workloads.ts"

const sumOf = (values: ReadonlyArray<number>) => values.reduce((sum, n) => sum + n, 0)

/** One run, up to its stop event. */
const once = async <A, B>(
  workflow: ReturnType<typeof createWorkflow>,
  start: WorkflowEvent<A>,
  data: A,
  stop: WorkflowEvent<B>
): Promise<B> => {
  const { stream, sendEvent } = workflow.createContext()
  sendEvent(start.with(data))
  for await (const event of stream as unknown as AsyncIterable<any>) if (stop.include(event)) return event.data
  throw new Error("no stop event came")
}

const seedStart = workflowEvent<void>()
const query = workflowEvent<string>()
const answer = workflowEvent<string>()
const seedStop = workflowEvent<string>()
const seedFlow = createWorkflow()
seedFlow.handle([seedStart], async ({ sendEvent, stream }: any) => {
  for (const n of [1, 2, 3]) sendEvent(query.with(`Query ${n}`))
  const answers = await stream.filter(answer).take(3).toArray()
  return seedStop.with(answers.map(({ data }: any) => data).join(", "))
})
seedFlow.handle([query], (_: any, { data }: any) => answer.with(data))
const seed = awaiting(() => once(seedFlow, seedStart, undefined, seedStop))

const fanStart = workflowEvent<number>()
const item = workflowEvent<number>()
const done = workflowEvent<number>()
const fanStop = workflowEvent<number>()
const fanFlow = createWorkflow()
fanFlow.handle([fanStart], async ({ sendEvent, stream }: any, { data: count }: any) => {
  for (let n = 0; n < count; n++) sendEvent(item.with(n))
  const all = await stream.filter(done).take(count).toArray()
  return fanStop.with(sumOf(all.map(({ data }: any) => data)))
})
fanFlow.handle([item], (_: any, { data }: any) => done.with(2 * data))

interface Hop {
  readonly hops: number
  readonly left: number
}
const ping = workflowEvent<Hop>()
const pong = workflowEvent<Hop>()
const hopStop = workflowEvent<number>()
const loopFlow = createWorkflow()
const hop =
  (to: WorkflowEvent<Hop>) =>
  // A synchronous handler would grow the stack with each hop.
  async (_: any, { data: { hops, left } }: any) =>
    left === 0 ? hopStop.with(hops) : to.with({ hops: hops + 1, left: left - 1 })
loopFlow.handle([ping], hop(pong))
loopFlow.handle([pong], hop(ping))

const links = Array.from({ length: chainLength + 1 }, () => workflowEvent<number>())
const chainStart = workflowEvent<number>()
const chainFlow = createWorkflow()
chainFlow.handle([chainStart], async ({ sendEvent, stream }: any, { data: count }: any) => {
  for (let n = 0; n < count; n++) sendEvent(links[0]!.with(n))
  const all = await stream.filter(links[chainLength]!).take(count).toArray()
  return fanStop.with(sumOf(all.map(({ data }: any) => data)))
})
for (let i = 0; i < chainLength; i++)
  chainFlow.handle([links[i]!], (_: any, { data }: any) => links[i + 1]!.with(data + 1))

const [a, b, c] = [workflowEvent<string>(), workflowEvent<string>(), workflowEvent<string>()]
const [forA, forB, forC] = [workflowEvent<void>(), workflowEvent<void>(), workflowEvent<void>()]
const mixedFlow = createWorkflow()
mixedFlow.handle([seedStart], async ({ sendEvent, stream }: any) => {
  sendEvent(forA.with(), forB.with(), forC.with())
  const all = await stream
    .filter((event: any) => a.include(event) || b.include(event) || c.include(event))
    .take(3)
    .toArray()
  const of = (def: WorkflowEvent<string>) => all.find((event: any) => def.include(event)).data
  return seedStop.with(`${of(c)}, ${of(a)}, ${of(b)}`)
})
mixedFlow.handle([forA], () => a.with("a"))
mixedFlow.handle([forB], () => b.with("b"))
mixedFlow.handle([forC], () => c.with("c"))

const napFlow = createWorkflow()
napFlow.handle([fanStart], async () => fanStop.with(await setTimeout(aliveMillis, 1)))

export default {
  seed,
  promises: seed,
  fan: awaiting((count) => once(fanFlow, fanStart, count, fanStop)),
  loop: awaiting((left) => once(loopFlow, ping, { hops: 0, left }, hopStop)),
  chain: awaiting((count) => once(chainFlow, chainStart, count, fanStop)),
  mixed: awaiting(() => once(mixedFlow, seedStart, undefined, seedStop)),
  alive: awaiting(async (count) =>
    sumOf(await Promise.all(Array.from({ length: count }, () => once(napFlow, fanStart, 0, fanStop))))
  )
} satisfies Candidate
