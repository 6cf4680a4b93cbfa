/** Profiles of this process, and what they say in a few lines. */
import { Session } from 'node:inspector/promises'

let session

export async function startProfile() {
  session = new Session()
  session.connect()
  await session.post('Profiler.enable')
  await session.post('Profiler.setSamplingInterval', { interval: 200 })
  await session.post('Profiler.start')
}

/** The functions that took most of the time by themselves: `[share, where]`. */
export async function stopProfile(count = 40) {
  const { profile } = await session.post('Profiler.stop')
  session.disconnect()
  const own = new Map()
  const nodes = new Map(profile.nodes.map((node) => [node.id, node]))
  let total = 0
  for (const [index, id] of profile.samples.entries()) {
    const { callFrame } = nodes.get(id)
    if (callFrame.functionName === '(idle)') continue
    const micros = profile.timeDeltas[index] ?? 0
    total += micros
    const file = callFrame.url.split('/').slice(-3).join('/')
    const where = `${callFrame.functionName || '(anonymous)'} ${file}:${callFrame.lineNumber + 1}`
    own.set(where, (own.get(where) ?? 0) + micros)
  }
  const rows = [...own].sort((a, b) => b[1] - a[1]).slice(0, count)
  return { totalMs: total / 1_000, rows: rows.map(([where, micros]) => [micros / total, where]) }
}
