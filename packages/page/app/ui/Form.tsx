/**
 * A form for a JSON value, by its schema. The value is the only state: the raw JSON beside it edits the same.
 */
import { useEffect, useId, useState } from "preact/hooks"
import type { Json } from "../api.ts"
import { pretty } from "../format.ts"
import { emptyOf, type Field, type Property } from "../schema.ts"

interface FieldProps {
  readonly field: Field
  readonly value: Json
  readonly onChange: (value: Json) => void
  readonly id: string
}

const same = (one: Json, other: Json): boolean => JSON.stringify(one) === JSON.stringify(other)

export const Fields = ({
  field,
  value,
  onChange,
  id
}: Omit<FieldProps, "field"> & { readonly field: Field & { readonly kind: "object" } }) => {
  const of = typeof value === "object" && value !== null ? (value as Record<string, Json>) : {}
  if (field.properties.length === 0) return <p class="soft">It has no fields.</p>
  return (
    <div class="fields">
      {field.properties.map((property) => (
        <Row
          key={property.name}
          id={`${id}-${property.name}`}
          property={property}
          present={Object.hasOwn(of, property.name)}
          value={of[property.name]}
          onChange={(next) => onChange({ ...of, [property.name]: next })}
          onRemove={() => onChange(Object.fromEntries(Object.entries(of).filter(([name]) => name !== property.name)))}
        />
      ))}
    </div>
  )
}

const Row = ({
  property: { field, name, required },
  present,
  onRemove,
  ...rest
}: Omit<FieldProps, "field"> & {
  readonly property: Property
  readonly present: boolean
  readonly onRemove: () => void
}) => (
  <div class="row">
    <label for={rest.id} class="name">
      {name}
      {required ? null : <span class="soft"> optional</span>}
    </label>
    <div class="control">
      {present || required ? (
        <Control field={field} {...rest} />
      ) : (
        <button
          type="button"
          class="quiet"
          id={rest.id}
          onClick={() => rest.onChange(emptyOf({ ...field, nullable: false }))}
        >
          Set
        </button>
      )}
      {present && !required ? (
        <button type="button" class="quiet" aria-label={`Leave out ${name}`} onClick={onRemove}>
          Leave out
        </button>
      ) : null}
      {field.hint === "" ? null : <p class="soft hint">{field.hint}</p>}
    </div>
  </div>
)

const Control = ({ field, id, onChange, value }: FieldProps) => {
  if (field.nullable && value === null) {
    return (
      <button type="button" class="quiet" id={id} onClick={() => onChange(emptyOf({ ...field, nullable: false }))}>
        null: set a value
      </button>
    )
  }
  switch (field.kind) {
    case "text":
      return <Text id={id} value={typeof value === "string" ? value : ""} onChange={onChange} long={field.long} />
    case "number":
      return (
        <input
          id={id}
          type="number"
          class="number"
          step={field.integer ? 1 : "any"}
          value={typeof value === "number" ? value : ""}
          onInput={({ currentTarget: { valueAsNumber } }) =>
            onChange(Number.isNaN(valueAsNumber) ? null : valueAsNumber)
          }
        />
      )
    case "boolean":
      return (
        <input
          id={id}
          type="checkbox"
          checked={value === true}
          onChange={(event) => onChange(event.currentTarget.checked)}
        />
      )
    case "choice":
      return (
        <select
          id={id}
          value={field.options.findIndex((option) => same(option, value))}
          onChange={(event) => onChange(field.options[Number(event.currentTarget.value)])}
        >
          {field.options.map((option, i) => (
            <option key={i} value={i}>
              {String(option)}
            </option>
          ))}
        </select>
      )
    case "object":
      return (
        <fieldset id={id}>
          <Fields field={field} value={value} onChange={onChange} id={id} />
        </fieldset>
      )
    case "list": {
      const items = Array.isArray(value) ? (value as ReadonlyArray<Json>) : []
      return (
        <div class="list" id={id}>
          {items.map((item, i) => (
            <div class="item" key={i}>
              <Control
                field={field.item}
                id={`${id}-${i}`}
                value={item}
                onChange={(next) => onChange(items.map((old, j) => (j === i ? next : old)))}
              />
              <button
                type="button"
                class="quiet"
                aria-label={`Remove item ${i + 1}`}
                onClick={() => onChange(items.filter((_, j) => j !== i))}
              >
                Remove
              </button>
            </div>
          ))}
          <button type="button" class="quiet" onClick={() => onChange([...items, emptyOf(field.item)])}>
            Add an item
          </button>
        </div>
      )
    }
    case "json":
      return <RawJson id={id} value={value} onChange={onChange} rows={2} label="JSON" />
  }
}

const Text = ({
  id,
  long,
  onChange,
  value
}: {
  readonly id: string
  readonly value: string
  readonly long: boolean
  readonly onChange: (value: string) => void
}) =>
  long || value.includes("\n") || value.length > 80 ? (
    <textarea id={id} rows={4} value={value} onInput={(event) => onChange(event.currentTarget.value)} />
  ) : (
    <input
      id={id}
      type="text"
      value={value}
      onInput={(event) => onChange(event.currentTarget.value)}
      autocomplete="off"
    />
  )

/** JSON as text: it may be broken while somebody types. */
export const RawJson = ({
  id,
  label,
  onChange,
  onBroken,
  rows,
  value
}: {
  readonly id: string
  readonly label: string
  readonly value: Json
  readonly rows: number
  readonly onChange: (value: Json) => void
  readonly onBroken?: (broken: boolean) => void
}) => {
  const [text, setText] = useState(() => pretty(value))
  const [error, setError] = useState<string>()
  useEffect(() => {
    // What was typed stays as it was typed, as long as it says the same.
    try {
      if (same(JSON.parse(text), value)) return
    } catch {}
    setText(pretty(value))
    setError(undefined)
    onBroken?.(false)
  }, [value])
  const typed = (next: string) => {
    setText(next)
    try {
      const parsed = JSON.parse(next)
      setError(undefined)
      onBroken?.(false)
      onChange(parsed)
    } catch (error) {
      setError((error as Error).message)
      onBroken?.(true)
    }
  }
  return (
    <div class="raw">
      <textarea
        id={id}
        class="code"
        aria-label={label}
        aria-invalid={error !== undefined}
        spellcheck={false}
        rows={Math.min(18, Math.max(rows, text.split("\n").length))}
        value={text}
        onInput={(event) => typed(event.currentTarget.value)}
      />
      {error === undefined ? null : (
        <p class="bad" role="alert">
          {error}
        </p>
      )}
    </div>
  )
}

/** The form and the raw JSON, side by side. */
export const Editor = ({
  field,
  label,
  onBroken,
  onChange,
  value
}: {
  readonly field: Field | undefined
  readonly label: string
  readonly value: Json
  readonly onChange: (value: Json) => void
  readonly onBroken: (broken: boolean) => void
}) => {
  const id = useId()
  return (
    <div class={field?.kind === "object" ? "editor" : "editor single"}>
      {field?.kind === "object" ? <Fields field={field} value={value} onChange={onChange} id={id} /> : null}
      <RawJson
        id={`${id}-raw`}
        label={`${label} as JSON`}
        value={value}
        rows={4}
        onChange={onChange}
        onBroken={onBroken}
      />
    </div>
  )
}
