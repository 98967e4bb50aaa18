/** How Node reads a file, and that it tries to, is no news to who asked for its workflow. */
const ofLoading = ({ name, message }: Error): boolean =>
  (name === "ExperimentalWarning" &&
    /^(Type Stripping|Support for loading ES Module|CommonJS module )/.test(message)) ||
  /^(Module type of .* is not specified|Failed to load the ES module)/.test(message)

/** From now on, this process does not warn of how it reads files. */
export const withoutWarningsOfLoading = (): void => {
  const warn = process.listeners("warning")
  process.removeAllListeners("warning")
  process.on("warning", (warning) => {
    if (!ofLoading(warning)) for (const tell of warn) tell(warning)
  })
}
