/**
 * The lower bound: function calls in a loop, without asynchrony, concurrency or validation.
 */
import { awaiting, type Candidate } from "../candidate.ts"
import { chainLength } from "../workloads.ts"

const seed = awaiting(async () => {
  const answers = [1, 2, 3].map((n) => ({ query: `Query ${n}` })).map(({ query }) => ({ result: query }))
  return answers.map(({ result }) => result).join(", ")
})

const fan = awaiting(async (count) => {
  const items = Array.from({ length: count }, (_, n) => ({ n }))
  return items.map(({ n }) => ({ n: 2 * n })).reduce((sum, { n }) => sum + n, 0)
})

const add = ({ n }: { readonly n: number }) => ({ n: n + 1 })

export default {
  seed,
  promises: seed,
  fan,
  gather: fan,
  loop: awaiting(async (count) => {
    let hop = { n: 0 }
    for (let left = count; left > 0; left--) hop = add(hop)
    return hop.n
  }),
  chain: awaiting(async (count) => {
    let sum = 0
    for (let n = 0; n < count; n++) {
      let value = { n }
      for (let i = 0; i < chainLength; i++) value = add(value)
      sum += value.n
    }
    return sum
  }),
  mixed: awaiting(async () => {
    const [a, b, c] = [{ text: "a" }, { text: "b" }, { text: "c" }]
    return `${c.text}, ${a.text}, ${b.text}`
  }),
  scopes: awaiting(async (count) => {
    const documents = Array.from({ length: count }, (_, n) => ({ n }))
    return documents.map(({ n }) => ({ words: 2 * n, links: n + 1 })).reduce((sum, d) => sum + d.words + d.links, 0)
  }),
  million: awaiting(async (count) => {
    let sum = 0
    for (let n = 0; n < count; n++) sum += 2 * n
    return sum
  })
} satisfies Candidate
