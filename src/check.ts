import { GhostChatError } from './errors.ts'

type Kind = 'function' | 'string' | 'boolean'

/** The options a caller gave. @throws `invalid-option` unless they are an object */
export function checkOptions<T extends object>(options: T): T {
  if (typeof options === 'object' && options !== null && !Array.isArray(options)) return options
  throw new GhostChatError('invalid-option', 'options must be an object')
}

/** @throws `invalid-option` unless the value is of this kind */
export function checkKind(name: string, value: unknown, kind: Kind): void {
  if (typeof value !== kind) throw new GhostChatError('invalid-option', `${name} must be a ${kind}`)
}

/** @throws `invalid-option` unless the value has all of these methods */
export function checkMethods(name: string, value: unknown, ...methods: string[]): void {
  const candidate = value as Record<string, unknown> | null | undefined
  const missing = methods.find((method) => typeof candidate?.[method] !== 'function')
  if (missing === undefined) return
  throw new GhostChatError('invalid-option', `${name} must be an object with a method ${missing}`)
}

/** @throws `invalid-option` unless the value is an AbortSignal, or missing */
export function checkSignal(signal: unknown): void {
  if (signal !== undefined) checkMethods('signal', signal, 'throwIfAborted', 'addEventListener')
}
