/** Where the SDK says what it cannot say through an event or a result. */
export interface Logger {
  /** Steps of interest to somebody who looks for a fault. */
  debug(message: string, detail?: unknown): void
  /** Something the application's developer should know. */
  warn(message: string, detail?: unknown): void
}

/** Warnings go to the console, debug lines nowhere. The default. */
export const consoleLogger: Logger = {
  debug() {},
  warn(message, detail) {
    if (detail === undefined) console.warn(`ghostchat: ${message}`)
    else console.warn(`ghostchat: ${message}`, detail)
  },
}

/** Says nothing. */
export const silentLogger: Logger = { debug() {}, warn() {} }
