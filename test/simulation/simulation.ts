import type { Identity } from '../../src/identity/identity.ts'
import { ManualClock, MemoryNetwork, seededRandom, turn } from '../../src/testing/index.ts'
import { topicOf } from '../../src/wire/topic.ts'
import { Calm } from './calm.ts'
import { Device } from './device.ts'
import type { Violation } from './invariants.ts'
import { Judge, nameOf } from './judge.ts'
import { KeyRing } from './key-ring.ts'
import { Mallory } from './mallory.ts'
import { Prober, type Served } from './prober.ts'
import { Reach } from './reach.ts'
import { type DeviceSpec, hasGoodClock, isFarAhead, type Scenario, type Step } from './scenario.ts'
import { Stage } from './stage.ts'
import { Trace } from './trace.ts'
import { judgeEnd, lateDifference } from './verdict.ts'

const BEGINS_AT = 1_800_000_000_000
/** After a crash: the lease of 90 s and what is on its way. */
const CRASH_NOTICED_MS = 95_000
/** How long before the end everybody asks for all there is. */
const LOOK_BACK_MS = 48_000
/** How often it is looked who can be reached, in the quiet phase. */
const LOOK_AROUND_MS = 5_000
/** How long before the end somebody asks everybody for all they have. */
const PROBE_MS = 6_000
/** How long it may take until everybody has what was written two minutes ahead of its time: a few quiet looks. */
const LATE_ROUND_MS = 30_000
const LATE_ROUNDS = 10
/** The user who comes in the end. */
const NEWCOMER = -1
/** After all have left: by then every timer that somebody forgot has rung. */
const AFTERMATH_MS = 60_000

/** What became of a run. */
export interface Report {
  seed: number
  violations: Violation[]
  /** The same for the same seed. */
  trace: string
  deliveries: number
  tellings: number
  changes: number
}

/** Runs a scenario. Everything in it is a microtask or a timer of its own clock, so the same seed gives the same run. */
export async function simulate(scenario: Scenario): Promise<Report> {
  const run = new Run(scenario)
  const onUnhandled = (thrown: unknown): void =>
    run.judge.object('no-failure', `unhandled: ${String(thrown)}`)
  process.on('unhandledRejection', onUnhandled)
  try {
    return await run.run()
  } finally {
    process.off('unhandledRejection', onUnhandled)
  }
}

class Run {
  readonly judge: Judge
  readonly #scenario: Scenario
  readonly #stage: Stage
  readonly #trace = new Trace()
  /** By number. */
  readonly #devices = new Map<number, Device>()
  readonly #mallories = new Map<number, Mallory>()
  readonly #identities = new Map<number, Identity>()
  readonly #honestDids = new Set<string>()
  /** Those that stamp what they write before the window of whoever has just come: who misses it does not get it later. */
  readonly #slowDids = new Set<string>()
  /** Those whose messages come from the future. */
  readonly #farAheadDids = new Set<string>()
  /** Those who may show at any time what they wrote long ago. */
  readonly #maliciousDids = new Set<string>()
  readonly #reach = new Reach()
  #sides: readonly (readonly number[])[] = []
  /** What each device gave to somebody who asked for everything. */
  readonly #served = new Map<Device, Served | undefined>()
  #said = 0

  constructor(scenario: Scenario) {
    this.#scenario = scenario
    const { seed, neighbours, weather, eclipse } = scenario
    const clock = new ManualClock(BEGINS_AT, { settle: turn })
    const random = seededRandom(`${seed} network`)
    const network = new MemoryNetwork({ clock, random, neighbours, ...weather })
    const keys = new KeyRing(seededRandom(`${seed} keys`))
    this.judge = new Judge({
      eclipse,
      ledger: keys.ledger,
      trace: this.#trace,
      elapsedMs: () => this.#stage.elapsedMs,
    })
    const [topic, trace, judge] = [topicOf('simulation', `${seed}`), this.#trace, this.judge]
    this.#stage = new Stage({ seed, topic, eclipse, clock, network, keys, trace, judge })
  }

  async run(): Promise<Report> {
    const { steps, quietAtMs, endsAtMs, seed } = this.#scenario
    const { clock } = this.#stage
    for (const step of steps) this.#at(step.atMs, () => this.#take(step))
    this.#at(quietAtMs, () => this.#calm())
    new Calm({
      judge: this.judge,
      at: (ms, task) => this.#at(quietAtMs + ms, task),
      present: () => this.#present(),
      isFit: (device) => this.#isFit(device),
      send: (device) => this.#send(device),
      welcome: () => this.#welcome(),
    }).plan()
    // A newcomer has the newest messages only, until it asks for more.
    this.#at(endsAtMs - LOOK_BACK_MS, async () => {
      await Promise.all(this.#present().map((device) => this.#lookBack(device)))
    })
    this.#at(endsAtMs - PROBE_MS, () => this.#probe())
    await clock.advance(endsAtMs)
    const everybody = [...this.#devices.values(), ...this.#mallories.values()]
    const specs = new Map(everybody.map(({ peerId, spec }) => [peerId, spec]))
    judgeEnd(this.#present(), this.judge, {
      isFit: (device) => this.#isFit(device),
      honestDids: this.#honestDids,
      lateDids: new Set([...this.#slowDids, ...this.#farAheadDids, ...this.#maliciousDids]),
      specs,
      served: this.#served,
      ledger: this.#stage.keys.ledger,
    })
    await this.#catchUpLate()
    await this.#end()
    const { violations, deliveries, tellings, changes } = this.judge
    return { seed, violations, trace: this.#trace.hash, deliveries, tellings, changes }
  }

  #at(ms: number, task: () => void | Promise<void>): void {
    this.#stage.clock.after(ms - this.#stage.elapsedMs, () => {
      Promise.resolve()
        .then(task)
        .catch((thrown: unknown) => this.judge.object('no-failure', `a step failed: ${String(thrown)}`))
    })
  }

  #take(step: Step): void | Promise<void> {
    this.#trace.note(step.atMs, step.act)
    const { network } = this.#stage
    switch (step.act) {
      case 'join':
        return this.#join(step.device)
      case 'partition':
        this.#sides = step.sides
        return this.#part()
      case 'heal':
        this.#sides = []
        return network.heal()
      case 'weather':
        return network.change(step.conditions)
      case 'attack':
        return this.#attack(step)
      default: {
        const device = this.#devices.get(step.device)
        if (device !== undefined && device.state !== 'gone') return this.#do(device, step)
      }
    }
  }

  async #attack({ device: number, attack }: Step & { act: 'attack' }): Promise<void> {
    const mallory = this.#mallories.get(number)
    if (mallory === undefined) return
    const spec = this.#scenario.devices[number]
    // What is stamped in the future is taken in late, like what those write whose clock is ahead.
    if (attack === 'future' && spec !== undefined) this.#farAheadDids.add(this.#identityOf(spec.user).did)
    await mallory.attack(attack)
  }

  async #do(
    device: Device,
    step: Exclude<Step, { act: 'join' | 'partition' | 'heal' | 'weather' | 'attack' }>,
  ): Promise<void> {
    switch (step.act) {
      case 'leave':
        return device.leave()
      case 'crash':
        device.crash()
        return this.#at(this.#stage.elapsedMs + CRASH_NOTICED_MS, () => this.#judgeCrash(device))
      case 'sleep':
        return device.sleep()
      case 'wake':
        return device.wake()
      case 'type':
        return device.room.typing.keystroke()
      case 'show':
        return device.room.presence.update({ name: `device ${step.device} at ${step.atMs}` })
      case 'look-back':
        return this.#lookBack(device)
      case 'change':
        await Promise.all(Array.from({ length: step.count }, () => device.changing.change(step.change)))
        return
      case 'send':
        for (let count = 0; count < step.count; count += 1) void this.#send(device)
    }
  }

  async #join(number: number): Promise<void> {
    const spec = this.#scenario.devices[number]
    if (spec === undefined) return
    const { malice } = spec
    if (isFarAhead(spec)) this.#farAheadDids.add(this.#identityOf(spec.user).did)
    if (malice === undefined) {
      await this.#enter(spec)
      return
    }
    const identity = this.#identityOf(spec.user)
    const mallory = new Mallory(this.#stage, { ...spec, malice }, identity)
    this.#mallories.set(number, mallory)
    this.#maliciousDids.add(identity.did)
    this.#part()
    await mallory.join()
  }

  async #enter(spec: DeviceSpec): Promise<Device> {
    const device = new Device(this.#stage, spec, this.#identityOf(spec.user))
    this.#honestDids.add(device.did)
    if (spec.offsetMs < 0 && !hasGoodClock(spec)) this.#slowDids.add(device.did)
    this.#devices.set(spec.number, device)
    this.#part()
    await device.join()
    return device
  }

  #identityOf(user: number): Identity {
    const identity = this.#identities.get(user) ?? this.#stage.keys.create()
    this.#identities.set(user, identity)
    return identity
  }

  /** Whoever comes while the network is cut belongs to a part as well. */
  #part(): void {
    if (this.#sides.length === 0) return
    this.#stage.network.partition(
      this.#sides.map((side) =>
        side.flatMap((number) => (this.#devices.get(number) ?? this.#mallories.get(number))?.peerId ?? []),
      ),
    )
  }

  /** Sends, and is judged by what everybody is told: a device that goes meanwhile sends nothing. */
  async #send(device: Device, text = this.#nextText()): Promise<void> {
    try {
      await device.send(text)
    } catch (thrown) {
      if (device.state !== 'gone') throw thrown
    }
  }

  #nextText(): string {
    this.#said += 1
    return `message ${this.#said}`
  }

  async #lookBack(device: Device): Promise<void> {
    try {
      await device.lookBack()
    } catch (thrown) {
      if (device.state !== 'gone') throw thrown
    }
  }

  async #probe(): Promise<void> {
    const prober = new Prober(this.#stage)
    await Promise.all(
      this.#present().map(async (device) => {
        this.#served.set(device, await prober.ask(device))
      }),
    )
    await prober.close()
  }

  /** What comes from the future is the same everywhere as well, only later; and what malicious devices show late. */
  async #catchUpLate(): Promise<void> {
    const difference = (authors: ReadonlySet<string>): string | undefined =>
      lateDifference(this.#fit(), authors)
    const late = new Set([...this.#farAheadDids, ...this.#maliciousDids])
    for (let rounds = 0; rounds < LATE_ROUNDS && difference(late) !== undefined; rounds += 1) {
      await this.#stage.clock.advance(LATE_ROUND_MS)
    }
    for (const [invariant, authors] of [
      ['same-history', this.#farAheadDids],
      ['same-history-of-all', this.#maliciousDids],
    ] as const) {
      const lacking = difference(authors)
      if (lacking !== undefined) this.judge.object(invariant, `in the end ${lacking}`)
    }
  }

  #judgeCrash(crashed: Device): void {
    for (const device of this.#present()) {
      if (!hasGoodClock(device.spec) || !hasGoodClock(crashed.spec)) continue
      // By the clock of whoever looks, the lease ends that much later.
      const laterMs = crashed.spec.offsetMs - device.spec.offsetMs
      if (laterMs <= 0 && device.lists(crashed)) {
        this.judge.object('crash-noticed', `${nameOf(device)} lists ${nameOf(crashed)}, who crashed 95 s ago`)
      }
    }
  }

  #calm(): void {
    this.#sides = []
    const { network } = this.#stage
    network.change({ loss: 0, duplication: 0, breakage: 0, noticeMs: [0, 0] })
    network.heal()
    for (const device of this.#devices.values()) device.wake()
    if (this.#scenario.eclipse) this.#lookAround()
  }

  #lookAround(): void {
    this.#reach.look(this.#present())
    this.#at(this.#stage.elapsedMs + LOOK_AROUND_MS, () => this.#lookAround())
  }

  #isFit(device: Device): boolean {
    return hasGoodClock(device.spec) && (!this.#scenario.eclipse || this.#reach.has(device))
  }

  #fit(): Device[] {
    return this.#present().filter((device) => this.#isFit(device))
  }

  /** Somebody who was never there. */
  async #welcome(): Promise<Device> {
    const number = this.#scenario.devices.length
    return this.#enter({ number, user: NEWCOMER, offsetMs: 0, slowMs: 0 })
  }

  #present(): Device[] {
    return [...this.#devices.values()].filter(({ state }) => state === 'present')
  }

  async #end(): Promise<void> {
    this.judge.mustStay = () => false
    const { clock } = this.#stage
    const leaving = this.#present()
    for (const mallory of this.#mallories.values()) void mallory.leave()
    for (const device of leaving) {
      // Whoever still waits for a silent member gives up.
      device.state = 'gone'
      void device.room.close()
    }
    await clock.advance(AFTERMATH_MS)
    for (const device of leaving) {
      if (device.clock.pending > 0) {
        this.judge.object(
          'no-leaks',
          `${nameOf(device)} has left, and ${device.clock.pending} timers are set`,
        )
      }
    }
  }
}
