// A workflow whose calls ask before they go on, and one that is killed while it waits for an answer.
import { Schema } from "effect"
import { defineEvent, defineStep, gather, workflow } from "stepgraph"
import { durable } from "../../src/index.ts"

export const Task = defineEvent("Task", { tools: Schema.Array(Schema.String) })
export const Call = defineEvent("Call", { tool: Schema.String })
export const Question = defineEvent("Question", { tool: Schema.String, text: Schema.String })
export const Approval = defineEvent("Approval", { tool: Schema.String, yes: Schema.Boolean })
export const Result = defineEvent("Result", { text: Schema.String })
export const Noted = defineEvent("Noted", { tool: Schema.String })
export const Answer = defineEvent("Answer", { texts: Schema.Array(Schema.String) })

export interface Options {
  readonly called?: (what: string) => void
  readonly tool?: object
  readonly ask?: (tool: string, ctx: any) => Promise<{ readonly _tag: string }>
  readonly workers?: number
}

/** Asks twice whether each tool may be used: by the name of the tool, and then for any answer. */
export const approval = ({ called = () => {}, tool = {}, ask }: Options = {}) =>
  durable(
    workflow({
      name: "approval",
      start: Task,
      stop: Answer,
      inputs: [Approval],
      outputs: [Question, Noted],
      steps: {
        think: defineStep({ accepts: Task, emits: Call, run: ({ tools }) => tools.map((tool) => Call({ tool })) }),
        use: defineStep({
          accepts: Call,
          emits: [Question, Result],
          asks: Approval,
          run: async ({ tool }: any, ctx: any) => {
            called(`use ${tool}`)
            if (ask !== undefined) return ask(tool, ctx)
            const { yes } = await ctx.ask(Question({ tool, text: "may I?" }), Approval, (to: any) => to.tool === tool)
            called(`${tool}: ${yes}`)
            return Result({ text: `${tool} ${yes}` })
          },
          ...tool
        } as any) as any,
        note: defineStep({
          accepts: Question,
          emits: Noted,
          run: ({ tool }) => {
            called(`note ${tool}`)
            return Noted({ tool })
          }
        }),
        finish: defineStep({
          accepts: gather(Result),
          emits: Answer,
          run: (results) => Answer({ texts: results.map(({ text }) => text) })
        })
      }
    } as any) as any
  ) as any
