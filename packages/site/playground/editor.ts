/** A text field for TypeScript. */
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands"
import { javascript } from "@codemirror/lang-javascript"
import { bracketMatching, HighlightStyle, indentOnInput, syntaxHighlighting } from "@codemirror/language"
import { EditorState } from "@codemirror/state"
import { drawSelection, EditorView, highlightActiveLine, keymap, lineNumbers } from "@codemirror/view"
import { tags } from "@lezer/highlight"

const colours = HighlightStyle.define([
  { tag: [tags.keyword, tags.operatorKeyword, tags.modifier], color: "var(--pg-keyword)" },
  { tag: [tags.string, tags.special(tags.string), tags.regexp], color: "var(--pg-string)" },
  { tag: [tags.number, tags.bool, tags.null], color: "var(--pg-number)" },
  { tag: tags.comment, color: "var(--pg-comment)" },
  { tag: [tags.function(tags.variableName), tags.function(tags.propertyName)], color: "var(--pg-function)" },
  { tag: [tags.typeName, tags.className], color: "var(--pg-number)" }
])

export interface Editor {
  readonly read: () => string
  readonly write: (text: string) => void
  readonly focus: () => void
}

export const createEditor = (parent: HTMLElement, text: string, onRun: () => void, onChange: () => void): Editor => {
  const view = new EditorView({
    parent,
    state: EditorState.create({
      doc: text,
      extensions: [
        lineNumbers(),
        history(),
        drawSelection(),
        indentOnInput(),
        bracketMatching(),
        highlightActiveLine(),
        syntaxHighlighting(colours),
        javascript({ typescript: true }),
        keymap.of([
          {
            key: "Mod-Enter",
            run() {
              onRun()
              return true
            }
          },
          ...defaultKeymap,
          ...historyKeymap,
          // Escape, then Tab leaves the field.
          indentWithTab
        ]),
        EditorView.contentAttributes.of({ "aria-label": "Program" }),
        EditorView.updateListener.of(({ docChanged }) => {
          if (docChanged) onChange()
        })
      ]
    })
  })
  return {
    read: () => view.state.doc.toString(),
    write: (text) => view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text } }),
    focus: () => view.focus()
  }
}
