/**
 * The colours of all pictures, in light and dark. Text has a contrast of at least 4.5:1 to its background; meaningful
 * marks also differ in shape.
 */

export const colours = {
  light: {
    ground: "#ffffff",
    raised: "#f6f8fa",
    text: "#1f2328",
    soft: "#57606a",
    line: "#8c959f",
    faint: "#d0d7de",
    step: "#ddf4ff",
    stepLine: "#0969da",
    intake: "#fff8c5",
    intakeLine: "#9a6700",
    end: "#dafbe1",
    endLine: "#1a7f37",
    frame: "#f6f8fa",
    run: "#54aeff",
    ink: "#1f2328",
    wait: "#d4a72c",
    critical: "#8250df",
    bad: "#cf222e",
    good: "#1a7f37",
    dropped: "#6e7781"
  },
  dark: {
    ground: "#0d1117",
    raised: "#161b22",
    text: "#e6edf3",
    soft: "#9da7b3",
    line: "#7d8590",
    faint: "#30363d",
    step: "#0c2d6b",
    stepLine: "#58a6ff",
    intake: "#3b2300",
    intakeLine: "#d29922",
    end: "#033a16",
    endLine: "#3fb950",
    frame: "#161b22",
    run: "#388bfd",
    ink: "#0d1117",
    wait: "#bb8009",
    critical: "#bc8cff",
    bad: "#ff7b72",
    good: "#3fb950",
    dropped: "#8b949e"
  }
} as const

const declarations = (of: Readonly<Record<string, string>>): string =>
  Object.entries(of)
    .map(([name, value]) => `--sg-${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}:${value}`)
    .join(";")

/** The colours as CSS variables of the selector. */
export const variables = (selector: string): string =>
  `${selector}{color-scheme:light dark;${declarations(colours.light)}}` +
  `@media (prefers-color-scheme:dark){${selector}{${declarations(colours.dark)}}}`

export const fonts = "ui-sans-serif,system-ui,-apple-system,'Segoe UI',Helvetica,Arial,sans-serif"
