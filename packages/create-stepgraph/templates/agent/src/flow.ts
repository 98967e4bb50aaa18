// The agent with its model and its tools, which work in the folder `notes`.
//
// With OPENAI_API_KEY, and OPENAI_BASE_URL for another endpoint than OpenAI's, and OPENAI_MODEL, it asks a real model.
// Without a key and an address, it follows a script.
import { fileURLToPath } from "node:url"
import { agent } from "./agent.ts"
import { openAiModel } from "./model.ts"
import { scriptedModel } from "./scripted.ts"
import { fileTools } from "./tools.ts"

const {
  OPENAI_API_KEY: apiKey,
  OPENAI_BASE_URL: baseURL = "https://api.openai.com/v1",
  OPENAI_MODEL: model = "gpt-5-mini"
} = process.env

const tools = fileTools(fileURLToPath(new URL("../notes", import.meta.url)))
const scripted = apiKey === undefined && process.env.OPENAI_BASE_URL === undefined

export const flow = agent(scripted ? scriptedModel : openAiModel({ baseURL, apiKey, model, tools }), tools)
