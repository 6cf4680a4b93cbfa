import type { LabApi } from '../page/api.ts'

/** A page on a machine of the laboratory. */
export class Tab {
  readonly #call: (method: string, args: unknown[]) => Promise<unknown>

  constructor(call: (method: string, args: unknown[]) => Promise<unknown>) {
    this.#call = call
  }

  /** Calls a method of the page's `window.lab`. */
  async do<Method extends keyof LabApi>(
    method: Method,
    ...args: Parameters<LabApi[Method]>
  ): Promise<Awaited<ReturnType<LabApi[Method]>>> {
    return (await this.#call(method, args)) as Awaited<ReturnType<LabApi[Method]>>
  }
}
