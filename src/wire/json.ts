/** Any value JSON can carry. */
export type JsonValue = string | number | boolean | null | JsonValue[] | { [key: string]: JsonValue }

/** An object JSON can carry. */
export type JsonObject = { [key: string]: JsonValue }

const utf8 = new TextEncoder()

/** The length of a text in UTF-8. */
export function byteLength(text: string): number {
  return utf8.encode(text).byteLength
}

/** Whether a value is an object, and neither an array nor null. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/**
 * Whether a value is plain JSON data all the way down: well-formed texts, finite
 * numbers, plain objects without a `__proto__` key (which `Object.assign` would
 * obey), nested at most `depth` deep.
 */
export function isJsonValue(value: unknown, depth = 8): value is JsonValue {
  if (value === null || typeof value === 'boolean') return true
  if (typeof value === 'string') return value.isWellFormed()
  if (typeof value === 'number') return Number.isFinite(value)
  if (depth === 0) return false
  if (Array.isArray(value)) return value.every((item) => isJsonValue(item, depth - 1))
  return isJsonObject(value, depth)
}

/** {@link isJsonValue} for objects. */
export function isJsonObject(value: unknown, depth = 8): value is JsonObject {
  if (!isRecord(value)) return false
  if (Object.values(Object.getOwnPropertyDescriptors(value)).some(({ get }) => get !== undefined))
    return false
  const prototype = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) return false
  return Object.entries(value).every(
    ([key, item]) => key !== '__proto__' && key.isWellFormed() && isJsonValue(item, depth - 1),
  )
}
