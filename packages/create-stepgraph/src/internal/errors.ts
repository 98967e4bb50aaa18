/** What was asked for cannot be done as it was said. The message says how to say it instead. */
export class Misuse extends Error {}

/** The user has pressed Ctrl-C, or ended the input. */
export class Cancelled extends Error {}
