import type { NetworkConditions } from '../../src/testing/index.ts'

/** What a malicious device does with streams that others open to it. */
export type Manners =
  | 'withholds'
  | 'forges'
  | 'resurrects'
  | 'babbles'
  | 'is-silent'
  | 'never-ends'
  | 'is-busy'

/** What a malicious device does of its own accord. */
export type Attack =
  | 'forge'
  | 'replay'
  | 'flood'
  | 'flood-invalid'
  | 'garbage-gossip'
  | 'garbage-streams'
  | 'future'
  | 'equivocate'
  | 'pose-as-peer'
  | Tampering

/** Attacks with what changes messages. */
export type Tampering =
  | 'tamper'
  | 'change-nothing'
  | 'change-first'
  | 'edit-twice'
  | 'contradict'
  | 'flood-changes'

/** What an honest device does with messages; a trespass is what it may not do. */
export type Change = 'edit' | 'delete' | 'react' | 'unreact' | 'trespass'

export interface Malice {
  manners: Manners
  /** Whether it passes on what it accepts. */
  forwards: boolean
}

/** One device: a page or a process, from when it joins until it is gone. */
export interface DeviceSpec {
  number: number
  /** Devices of one user share an identity. */
  user: number
  /** By how much its clock is fast. */
  offsetMs: number
  /** How long a verification takes it, at most. */
  slowMs: number
  malice?: Malice
}

export type Step = { atMs: number } & (
  | { act: 'join' | 'leave' | 'crash' | 'sleep' | 'wake' | 'type' | 'show' | 'look-back'; device: number }
  | { act: 'send'; device: number; count: number }
  | { act: 'change'; device: number; change: Change; count: number }
  | { act: 'attack'; device: number; attack: Attack }
  | { act: 'partition'; sides: readonly (readonly number[])[] }
  | { act: 'heal' }
  | { act: 'weather'; conditions: Partial<NetworkConditions> }
)

/** A run, drawn from its seed. */
export interface Scenario {
  seed: number
  peers: number
  neighbours: number
  weather: NetworkConditions
  /** Whether malicious devices that pass nothing on may be all that holds the others together. */
  eclipse: boolean
  devices: readonly DeviceSpec[]
  /** In the order of time. */
  steps: readonly Step[]
  /** When the quiet phase begins. */
  quietAtMs: number
  endsAtMs: number
}

/**
 * Clocks within this of the right time are good enough for everything: the gate allows 60 s between two, of which
 * an author may use up 5 s by sorting behind what it answers.
 */
const GOOD_CLOCK_MS = 27_500

export function hasGoodClock({ offsetMs }: DeviceSpec): boolean {
  return Math.abs(offsetMs) <= GOOD_CLOCK_MS
}

/**
 * Whose clock is ahead by more than this lives in a time of its own: what it writes is from the future for most, and by
 * its clock their leases have run out. Nobody asks it, and it knows nobody to ask.
 */
const FAR_AHEAD_MS = 60_000

export function isFarAhead({ offsetMs }: DeviceSpec): boolean {
  return offsetMs > FAR_AHEAD_MS
}

/** A scenario in words, a line each. */
export function describeScenario(scenario: Scenario): string[] {
  const { seed, neighbours, weather, eclipse, devices, steps, quietAtMs, endsAtMs } = scenario
  return [
    `seed ${seed}: ${devices.length} devices of ${new Set(devices.map(({ user }) => user)).size} users, ${neighbours} neighbours each${eclipse ? ', of whom all may be malicious' : ''}`,
    `  0:00.000 weather: ${describeWeather(weather)}`,
    ...steps.map((step) => `  ${timeOf(step.atMs)} ${describeStep(step, devices)}`),
    `  ${timeOf(quietAtMs)} quiet: one network, no loss, everybody awake`,
    `  ${timeOf(endsAtMs)} end`,
  ]
}

/** Minutes, seconds and milliseconds since the beginning. */
export function timeOf(ms: number): string {
  const seconds = (ms % 60_000) / 1000
  return `${Math.floor(ms / 60_000)}:${seconds.toFixed(3).padStart(6, '0')}`
}

function describeStep(step: Step, devices: readonly DeviceSpec[]): string {
  switch (step.act) {
    case 'partition':
      return `partition: ${step.sides.map((side) => `[${side.join(' ')}]`).join(' ')}`
    case 'heal':
      return 'heal'
    case 'weather':
      return `weather: ${describeWeather(step.conditions)}`
    case 'join':
      return `device ${step.device} joins: ${describeDevice(devices[step.device])}`
    case 'send':
      return `device ${step.device} sends ${step.count}`
    case 'change':
      return `device ${step.device}: ${step.change}${step.count > 1 ? `, ${step.count} at once` : ''}`
    case 'attack':
      return `device ${step.device} attacks: ${step.attack}`
    default:
      return `device ${step.device}: ${step.act}`
  }
}

function describeDevice(device: DeviceSpec | undefined): string {
  if (device === undefined) return 'unknown'
  const { user, offsetMs, slowMs, malice } = device
  return [
    `user ${user}`,
    `clock ${offsetMs >= 0 ? '+' : ''}${offsetMs / 1000} s`,
    ...(slowMs > 0 ? [`verifies in up to ${slowMs} ms`] : []),
    ...(malice ? [`malicious: ${malice.manners}${malice.forwards ? '' : ', passes nothing on'}`] : []),
  ].join(', ')
}

function describeWeather(conditions: Partial<NetworkConditions>): string {
  return Object.entries(conditions)
    .map(([name, value]) => `${name} ${Array.isArray(value) ? value.join('-') : value}`)
    .join(', ')
}
