// How far a search goes: `test` makes half of each, `test:long` makes the whole and then rounds with other seeds.
const { ROUND = "0", SHARE = "0.5" } = process.env

export const round = Number(ROUND)
export const share = Number(SHARE)

/** As many as this search makes of what the whole one makes so many of. */
export const searched = (many: number): number => Math.ceil(many * share)
