// The size of a search: `test` runs a tenth, `test:long` runs everything and then more rounds with other seeds.
const { ROUND = "0", SHARE = "0.1" } = process.env

export const round = Number(ROUND)
export const share = Number(SHARE)

/** This search's share of a full search's count. */
export const searched = (many: number): number => Math.ceil(many * share)
