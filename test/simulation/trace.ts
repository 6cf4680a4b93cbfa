/** A hash over everything that happens: the same for the same seed, or the run cannot be repeated. */
export class Trace {
  #a = 0x811c9dc5
  #b = 0x9e3779b9

  note(...parts: readonly (string | number)[]): void {
    const text = parts.join(' ')
    for (let index = 0; index < text.length; index += 1) this.#take(text.charCodeAt(index))
    this.#take(0x0a)
  }

  noteBytes(data: Uint8Array): void {
    for (const byte of data) this.#take(byte)
    this.#take(data.byteLength)
  }

  get hash(): string {
    return [this.#a, this.#b].map((word) => (word >>> 0).toString(16).padStart(8, '0')).join('')
  }

  #take(value: number): void {
    this.#a = Math.imul(this.#a ^ value, 0x01000193)
    this.#b = Math.imul(this.#b ^ value, 0x5bd1e995) ^ (this.#b >>> 15)
  }
}

/** A hash of bytes. */
export function hashOf(data: Uint8Array): string {
  const trace = new Trace()
  trace.noteBytes(data)
  return trace.hash
}
