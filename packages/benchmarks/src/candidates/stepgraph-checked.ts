// The same workflows, with fields that the schema's interpreter has to look into.
process.env.CHECKED_FIELDS = "yes"

export default (await import("./stepgraph.ts")).default
