import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** A process of its own that answers calls and tells what happens in it. */
export class Worker {
  #child
  #calls = new Map()
  #nextId = 0
  /** Told things, by name. */
  onTold = (_name, _data) => {}

  /** Starts a file of this folder's parent; resolves when it serves. */
  static async start(path, { env = {}, execArgv = [] } = {}) {
    const worker = new Worker()
    const file = fileURLToPath(new URL(`../${path}`, import.meta.url))
    const child = fork(file, [], { env: { ...process.env, ...env }, execArgv, serialization: 'advanced' })
    worker.#child = child
    await new Promise((resolve, reject) => {
      child.on('message', (message) => {
        if (message.ready) resolve()
        else worker.#onMessage(message)
      })
      child.once('error', reject)
      child.once('exit', (code, signal) => {
        const error = new Error(`${path} ended (${signal ?? code})`)
        reject(error)
        for (const call of worker.#calls.values()) call.reject(error)
      })
    })
    return worker
  }

  /** Has the process do something and answers its result. */
  call(name, ...args) {
    const id = this.#nextId++
    return new Promise((resolve, reject) => {
      this.#calls.set(id, { resolve, reject })
      this.#child.send({ id, name, args })
    })
  }

  /** Ends the process. */
  stop() {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return Promise.resolve()
    return new Promise((resolve) => {
      this.#child.once('exit', resolve)
      this.#child.kill('SIGKILL')
    })
  }

  #onMessage({ id, result, error, told, data }) {
    if (told !== undefined) {
      this.onTold(told, data)
      return
    }
    const call = this.#calls.get(id)
    this.#calls.delete(id)
    if (error === undefined) call?.resolve(result)
    else call?.reject(new Error(error))
  }
}

/** Serves calls in a process started as a {@link Worker}. */
export function serve(handlers) {
  process.on('message', async ({ id, name, args }) => {
    try {
      process.send({ id, result: await handlers[name](...args) })
    } catch (thrown) {
      process.send({ id, error: thrown?.stack ?? String(thrown) })
    }
  })
  process.on('disconnect', () => process.exit())
  process.send({ ready: true })
}

/** Tells the process that started this one. */
export function tell(told, data) {
  process.send({ told, data })
}

/** Milliseconds since the Unix epoch, finer than `Date.now()` and the same in all processes of the machine. */
export function now() {
  return performance.timeOrigin + performance.now()
}

/** CPU time of this process so far, in milliseconds. */
export function cpuMs() {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}
