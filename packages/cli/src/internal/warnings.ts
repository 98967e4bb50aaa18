/** Node warns about how it reads a file, or that its SQLite is young. Users of the command cannot act on that. */
const ofLoading = ({ name, message }: Error): boolean =>
  (name === "ExperimentalWarning" &&
    /^(Type Stripping|Support for loading ES Module|CommonJS module |SQLite )/.test(message)) ||
  /^(Module type of .* is not specified|Failed to load the ES module)/.test(message)

/** Silences those warnings for the rest of the process. */
export const withoutWarningsOfLoading = (): void => {
  const warn = process.listeners("warning")
  process.removeAllListeners("warning")
  process.on("warning", (warning) => {
    if (!ofLoading(warning)) for (const tell of warn) tell(warning)
  })
}
