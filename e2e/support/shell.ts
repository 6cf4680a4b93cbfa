import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'

/** Runs a command to its end. @throws where it fails, with what it wrote */
export async function run(
  command: string,
  args: string[],
  options: { cwd?: string; env?: NodeJS.ProcessEnv; input?: string } = {},
): Promise<string> {
  const { input, ...where } = options
  const child = spawn(command, args, {
    ...where,
    env: { ...process.env, ...options.env },
    stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
  })
  const output = collect(child)
  // A command that fails early does not read its input to the end; its exit code tells.
  child.stdin?.on('error', () => {}).end(input)
  const [code] = await once(child, 'close')
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${code}:\n${output()}`)
  return output()
}

/** What a process has written so far, on both of its outputs. */
export function collect(child: ChildProcess): () => string {
  let text = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
    })
  }
  return () => text
}

/** Waits for a process to write something that matches. @throws where it ends before, with what it wrote */
export async function untilOutput(child: ChildProcess, pattern: RegExp): Promise<RegExpExecArray> {
  const output = collect(child)
  return new Promise((resolve, reject) => {
    const look = (): void => {
      const match = pattern.exec(output())
      if (match !== null) resolve(match)
    }
    child.stdout?.on('data', look)
    child.stderr?.on('data', look)
    child.once('error', reject)
    child.once('close', (code) =>
      reject(new Error(`${child.spawnargs.join(' ')} ended with ${code}:\n${output()}`)),
    )
  })
}
