import { readFileSync } from 'node:fs'

const PATTERN = /^ghostchat-lab-(\d+)-([0-9a-z]+)/

/**
 * What everything a run makes is named after: its process and when that process
 * began, because a process id is used again.
 */
export function runName(): string {
  return `ghostchat-lab-${process.pid}-${startOf(process.pid)}`
}

/** Whether this is the name of something that a run made which is over. */
export function isLeftover(name: string): boolean {
  const [, pid, start] = PATTERN.exec(name) ?? []
  return pid !== undefined && startOf(Number(pid)) !== start
}

/** When a process began, in clock ticks since the machine did; `undefined` when there is no such process. */
function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // proc(5): field 22, counted behind the name, which may hold blanks.
    const ticks = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
    return Number(ticks).toString(36)
  } catch {
    return undefined
  }
}
