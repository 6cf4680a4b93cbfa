import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { type Diagnosis, openSpace } from '../index.ts'
import { UsageError } from './usage-error.ts'

const HELP = `Usage: ghostchat diagnose [options] NODE...

Connects to GhostNodes as a dapp would, and says what works and what does not.
NODE is a URL or a multiaddr, as in openSpace(name, { nodes }).

Options:
  --ice-server URL   stun: server to ask as well; may be given several times
  --json             print the diagnosis as one line of JSON
  --help             this text

Exit codes: 0 all is well, 1 there are problems, 2 wrong usage.
`

/** How long to wait for the nodes, how long for WebRTC's code to be loaded, and how often to look. */
const CONNECT_WAIT_MS = 8_000
const WEBRTC_WAIT_MS = 3_000
const LOOK_MS = 250

/** `ghostchat diagnose`: a connection to nodes, looked at from all sides. */
export async function runDiagnose(args: string[]): Promise<void> {
  const { values, positionals: nodes } = parse(args)
  if (values.help) return void process.stdout.write(HELP)
  if (nodes.length === 0) throw new UsageError('a node is missing')
  const space = await openSpace('ghostchat-diagnose', {
    nodes,
    identity: 'ephemeral',
    logger: { debug: () => {}, warn: () => {} },
    iceServers: (values['ice-server'] ?? []).map((urls) => ({ urls })),
  })
  try {
    const diagnosis = await diagnoseWhenConnected(() => space.diagnose())
    process.stdout.write(values.json ? `${JSON.stringify(diagnosis)}\n` : describeDiagnosis(diagnosis))
    if (diagnosis.problems.length > 0) process.exitCode = 1
  } finally {
    await space.close()
  }
}

function parse(args: string[]) {
  try {
    return parseArgs({
      args,
      strict: true,
      allowPositionals: true,
      options: {
        'ice-server': { type: 'string', multiple: true },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    })
  } catch (thrown) {
    const [line = ''] = thrown instanceof Error ? thrown.message.split('\n') : []
    throw new UsageError(line)
  }
}

/**
 * The diagnosis once every node is connected and has made its reservation, or what there is after 8 s. WebRTC, where
 * there is any, may be loaded later than that.
 */
export async function diagnoseWhenConnected(
  diagnose: () => Promise<Diagnosis>,
  clock: { now(): number; sleep(ms: number): Promise<unknown> } = { now: Date.now, sleep },
): Promise<Diagnosis> {
  const begin = clock.now()
  for (;;) {
    const diagnosis = await diagnose()
    const isReady = diagnosis.nodes.every(({ state, isRelay }) => state === 'connected' && isRelay)
    const passedMs = clock.now() - begin
    const isLoaded = diagnosis.direct.isAvailable || passedMs >= WEBRTC_WAIT_MS
    if ((isReady && isLoaded) || passedMs >= CONNECT_WAIT_MS) return diagnosis
    await clock.sleep(LOOK_MS)
  }
}

function describeDiagnosis({ nodes, direct, problems }: Diagnosis): string {
  const lines = nodes.flatMap(({ name, state, version, latencyMs, isRelay, clockOffsetMs, reason }) => [
    `node ${name}: ${state}${reason === undefined ? '' : ` (${reason})`}`,
    ...(version === undefined ? [] : [`  version ${version}`]),
    ...(latencyMs === undefined ? [] : [`  answers in ${latencyMs} ms`]),
    ...(state === 'connected' ? [`  relay reservation: ${isRelay ? 'yes' : 'no'}`] : []),
    ...(clockOffsetMs === undefined ? [] : [`  clock: this one is ${clockOffsetMs} ms off`]),
  ])
  lines.push(`direct connections: ${direct.isAvailable ? 'possible' : 'not possible'}`)
  if (direct.isAvailable) {
    lines.push(`  servers: ${direct.iceServers.join(', ') || 'none'}`)
    if (direct.iceServers.length > 0) {
      lines.push(
        `  they answer: ${direct.silentServers.length === 0 ? 'yes' : direct.hasAnswer ? 'some' : 'no'}`,
      )
    }
    if (direct.outsideAddress !== undefined) lines.push(`  outside address: ${direct.outsideAddress}`)
  }
  for (const { code, message, advice } of problems) lines.push(`problem (${code}): ${message}`, `  ${advice}`)
  if (problems.length === 0) lines.push('all is well')
  return `${lines.join('\n')}\n`
}
