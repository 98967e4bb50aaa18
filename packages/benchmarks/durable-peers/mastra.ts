import { join } from "node:path"
import { Mastra } from "@mastra/core"
import { createStep, createWorkflow } from "@mastra/core/workflows"
import { LibSQLStore } from "@mastra/libsql"
import { z } from "zod"
import { type Candidate, sideBySide } from "../src/durable/candidate.ts"

const Hop = z.object({ id: z.string(), n: z.number(), last: z.number() })
const Count = z.object({ items: z.number() })
const Item = z.object({ n: z.number() })
const Text = z.object({ text: z.string() })

export default {
  open: async ({ folder }, { step, went }) => {
    const hop = createStep({
      id: "hop",
      inputSchema: Hop,
      outputSchema: Hop,
      execute: async ({ inputData }) => {
        await step(inputData.n + 1)
        return { ...inputData, n: inputData.n + 1 }
      }
    })
    const chain: any = createWorkflow({ id: "chain", inputSchema: Hop, outputSchema: Hop })
      .dountil(hop, async ({ inputData: { last, n } }) => n === last)
      .commit()
    const split = createStep({
      id: "split",
      inputSchema: Count,
      outputSchema: z.array(Item),
      execute: async ({ inputData: { items } }) => Array.from({ length: items }, (_, i) => ({ n: i + 1 }))
    })
    const work = createStep({
      id: "work",
      inputSchema: Item,
      outputSchema: Item,
      execute: async ({ inputData }) => {
        await step(inputData.n)
        return inputData
      }
    })
    const all = createStep({
      id: "all",
      inputSchema: z.array(Item),
      outputSchema: Count,
      execute: async ({ inputData }) => ({ items: inputData.length })
    })
    const fan: any = createWorkflow({ id: "fan", inputSchema: Count, outputSchema: Count })
      .then(split)
      .foreach(work, { concurrency: sideBySide })
      .then(all)
      .commit()
    const waits = createStep({
      id: "waits",
      inputSchema: Hop,
      outputSchema: Hop,
      resumeSchema: Text,
      execute: async ({ inputData, resumeData, suspend }) => {
        if (resumeData === undefined) return (await suspend({})) as never
        return inputData
      }
    })
    const goes = createStep({
      id: "went",
      inputSchema: Hop,
      outputSchema: Hop,
      execute: async ({ inputData }) => {
        went(inputData.id)
        return inputData
      }
    })
    const wait: any = createWorkflow({ id: "wait", inputSchema: Hop, outputSchema: Hop })
      .then(waits)
      .then(goes)
      .commit()
    const walk: any = createWorkflow({ id: "walk", inputSchema: Hop, outputSchema: Hop })
      .dountil(hop, async ({ inputData: { last, n } }) => n === last)
      .then(waits)
      .then(goes)
      .commit()
    const storage = new LibSQLStore({ id: "runs", url: `file:${join(folder, "runs.db")}` })
    const mastra: any = new Mastra({ storage, workflows: { chain, fan, wait, walk }, logger: false })
    const started = async (workflow: string, runId: string, inputData: unknown) => {
      const run = await mastra.getWorkflow(workflow).createRun({ runId })
      return run.start({ inputData })
    }
    const result = (ended: any) => {
      if (ended.status !== "success") throw new Error(`ended as ${ended.status}: ${ended.error}`)
      return ended.result
    }
    const walking = (id: string) => (id.startsWith("walk") ? "walk" : "wait")
    return {
      chain: async (id, last) => result(await started("chain", id, { id, n: 0, last })).n,
      goOn: () => mastra.restartAllActiveWorkflowRuns(),
      fan: async (id, items) => result(await started("fan", id, { items })).items,
      wait: async (id, last) => {
        const ended = await started(last === 0 ? "wait" : "walk", id, { id, n: 0, last })
        if (ended.status !== "suspended") throw new Error(`ended as ${ended.status}: ${ended.error}`)
      },
      answer: async (id) => {
        const run = await mastra.getWorkflow(walking(id)).createRun({ runId: id })
        result(await run.resume({ step: "waits", resumeData: { text: "Ada" } }))
      },
      close: () => mastra.shutdown?.()
    }
  }
} satisfies Candidate
