/**
 * The text of each file. From a clone, it is bundled when it is first asked for; the published package has it inside: its build
 * replaces this module.
 */
let bundled: Promise<Readonly<Record<string, string>>> | undefined

export const contents = (): Promise<Readonly<Record<string, string>>> =>
  (bundled ??= import("../../bundle.ts").then(({ bundle }) => bundle()))
