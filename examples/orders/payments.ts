// A payment provider as you rent one: it takes an idempotency key, and does what has the same key once. It keeps its books in a
// file of its own, so that they survive the process, too.
import { existsSync } from "node:fs"
import { DatabaseSync } from "node:sqlite"
import { setTimeout as sleep } from "node:timers/promises"

export interface Payments {
  /** Gives the receipt, or nothing if the card is refused. */
  readonly charge: (cents: number, key: string) => Promise<string | undefined>
  readonly refund: (receipt: string, key: string) => Promise<void>
}

const limit = 100_000

/** How long its answers take. */
const latency = Number(process.env.PAYMENTS_LATENCY ?? 20)

export const paymentsIn = (file: string): Payments => {
  const book = (key: string, cents: number) => {
    const db = new DatabaseSync(file, { timeout: 5000 })
    try {
      db.exec("CREATE TABLE IF NOT EXISTS payments (key TEXT PRIMARY KEY, cents INTEGER NOT NULL)")
      db.prepare("INSERT INTO payments VALUES (?, ?) ON CONFLICT DO NOTHING").run(key, cents)
      console.log(`The provider has booked ${key}: ${cents} cents.`)
    } finally {
      db.close()
    }
  }
  return {
    charge: async (cents, key) => {
      if (cents > limit) return undefined
      book(key, cents)
      await sleep(latency)
      return `receipt of ${key}`
    },
    refund: async (receipt, key) => {
      book(key, -centsOf(file, receipt.slice("receipt of ".length)))
      await sleep(latency)
    }
  }
}

const centsOf = (file: string, key: string): number => {
  const db = new DatabaseSync(file, { readOnly: true })
  try {
    return Number(db.prepare("SELECT cents FROM payments WHERE key = ?").get(key)?.cents ?? 0)
  } finally {
    db.close()
  }
}

/** The books, for the tests and for whoever is curious. */
export const booked = (file: string): Readonly<Record<string, number>> => {
  if (!existsSync(file)) return {}
  const db = new DatabaseSync(file, { readOnly: true })
  try {
    const rows = db.prepare("SELECT key, cents FROM payments ORDER BY key").all()
    return Object.fromEntries(rows.map(({ key, cents }) => [String(key), Number(cents)]))
  } finally {
    db.close()
  }
}
