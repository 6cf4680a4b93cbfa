import { type NetworkConditions, seededRandom } from '../../src/testing/index.ts'
import { Dice } from './dice.ts'
import type { Attack, Change, DeviceSpec, Malice, Scenario, Step } from './scenario.ts'

/** How long the quiet phase lasts: a lease of 90 s, a renewal of 30 s, and time to see that nothing moves. */
const QUIET_MS = 180_000
const SECOND = 1_000

/** What is to happen; to whom is drawn when its time has come, among those who are there then. */
interface Intention {
  atMs: number
  what:
    | 'join'
    | 'send'
    | 'change'
    | 'trespass'
    | 'churn'
    | 'sleep'
    | 'wake'
    | 'type'
    | 'show'
    | 'look-back'
    | 'attack'
  /** The device it is about, where that is known before. */
  device?: DeviceSpec
}

/** Draws a run for at most `peers` devices at a time. */
export function drawScenario(seed: number, { peers }: { peers: number }): Scenario {
  return new Draw(seed, peers).draw()
}

class Draw {
  readonly #seed: number
  readonly #peers: number
  readonly #dice: Dice
  readonly #quietAtMs: number
  readonly #devices: DeviceSpec[] = []
  readonly #steps: Step[] = []
  readonly #intentions: Intention[] = []
  /** Who is there and awake, and who is there and asleep. */
  readonly #present = new Set<DeviceSpec>()
  readonly #asleep = new Set<DeviceSpec>()
  #users = 0

  constructor(seed: number, peers: number) {
    this.#seed = seed
    this.#peers = peers
    this.#dice = new Dice(seededRandom(`scenario ${seed}`))
    this.#quietAtMs = this.#dice.whole(60, 180) * SECOND
  }

  draw(): Scenario {
    const dice = this.#dice
    const weather = this.#weather()
    const neighbours = dice.whole(3, 8)
    const eclipse = dice.chance(0.2)
    this.#cast()
    this.#plan('send', dice.chance(0.1) ? dice.whole(100, 160) : dice.whole(10, 60))
    this.#plan('change', dice.chance(0.1) ? dice.whole(60, 120) : dice.whole(5, 40))
    this.#plan('trespass', dice.whole(0, 3))
    this.#plan('churn', dice.whole(0, Math.ceil(this.#peers / 2)))
    this.#plan('sleep', dice.whole(0, Math.ceil(this.#peers / 8)))
    this.#plan('type', dice.whole(0, 5))
    this.#plan('show', dice.whole(0, 5))
    this.#plan('look-back', dice.whole(0, 3))
    this.#drawPartitions()
    this.#drawStorms()
    this.#carryOut()
    this.#steps.sort((a, b) => a.atMs - b.atMs)
    return {
      seed: this.#seed,
      peers: this.#peers,
      neighbours,
      weather,
      eclipse,
      devices: this.#devices,
      steps: this.#steps,
      quietAtMs: this.#quietAtMs,
      endsAtMs: this.#quietAtMs + QUIET_MS,
    }
  }

  #weather(): NetworkConditions {
    const dice = this.#dice
    const minMs = dice.whole(1, 60)
    const noticeMs = dice.chance(0.5) ? dice.whole(1, 15) * SECOND : 0
    return {
      latencyMs: [minMs, minMs + dice.whole(0, dice.chance(0.3) ? 1_500 : 200)],
      loss: dice.chance(0.7) ? dice.whole(0, 30) / 100 : 0,
      duplication: dice.chance(0.5) ? dice.whole(0, 20) / 100 : 0,
      breakage: dice.chance(0.5) ? dice.whole(0, 10) / 100 : 0,
      noticeMs: [0, noticeMs],
    }
  }

  /** Those who come at the beginning and later, among them up to a fifth who mean no good. */
  #cast(): void {
    const dice = this.#dice
    const malicious = dice.chance(0.6) ? dice.whole(1, Math.floor(this.#peers / 5)) : 0
    for (let index = 0; index < this.#peers; index += 1) {
      const atMs = dice.chance(0.7) ? dice.whole(0, 5_000) : dice.whole(0, this.#quietAtMs * 0.6)
      const malice = index >= this.#peers - malicious ? this.#malice() : undefined
      const sibling = dice.chance(0.1) ? dice.pick(this.#devices.filter((each) => !each.malice)) : undefined
      const device = this.#device(malice === undefined ? sibling?.user : undefined, malice)
      this.#intend({ atMs, what: 'join', device })
      const attacks = malice === undefined ? 0 : dice.whole(1, 5)
      for (let attack = 0; attack < attacks; attack += 1) {
        this.#intend({ atMs: dice.whole(atMs + SECOND, this.#quietAtMs - 6_000), what: 'attack', device })
      }
    }
  }

  #malice(): Malice {
    const manners = this.#dice.weighted({
      withholds: 2,
      forges: 2,
      resurrects: 2,
      babbles: 1,
      'is-silent': 1,
      'never-ends': 1,
      'is-busy': 1,
    })
    return { manners, forwards: this.#dice.chance(0.5) }
  }

  #device(user?: number, malice?: Malice, offsetMs = this.#offsetMs()): DeviceSpec {
    if (user === undefined) this.#users += 1
    const device: DeviceSpec = {
      number: this.#devices.length,
      user: user ?? this.#users,
      offsetMs,
      slowMs: this.#dice.chance(0.1) ? this.#dice.whole(1, 50) : 0,
      ...(malice && { malice }),
    }
    this.#devices.push(device)
    return device
  }

  #offsetMs(): number {
    const dice = this.#dice
    const sign = dice.chance(0.5) ? 1 : -1
    const size = dice.weighted({ right: 14, off: 5, wrong: 1 })
    if (size === 'right') return sign * dice.whole(0, 2_000)
    return sign * (size === 'off' ? dice.whole(2_000, 30_000) : dice.whole(31_000, 120_000))
  }

  #plan(what: Intention['what'], count: number): void {
    for (let index = 0; index < count; index += 1) {
      this.#intend({ atMs: this.#dice.whole(3_000, this.#quietAtMs - 1), what })
    }
  }

  #intend(intention: Intention): void {
    if (intention.atMs < this.#quietAtMs) this.#intentions.push(intention)
  }

  #drawPartitions(): void {
    const dice = this.#dice
    let atMs = dice.whole(5_000, this.#quietAtMs)
    for (let left = dice.whole(0, 2); left > 0 && atMs < this.#quietAtMs - 10_000; left -= 1) {
      this.#steps.push({ atMs, act: 'partition', sides: this.#sides() })
      const healsAtMs = atMs + dice.whole(2, 60) * SECOND
      if (healsAtMs < this.#quietAtMs) this.#steps.push({ atMs: healsAtMs, act: 'heal' })
      atMs = healsAtMs + dice.whole(1_000, 60_000)
    }
  }

  /** Halves or thirds, or most here and a few there, or each for itself. */
  #sides(): number[][] {
    const dice = this.#dice
    const away = dice.weighted({ even: 3, few: 2, each: 1 })
    const count = away === 'even' ? dice.whole(2, 3) : away === 'few' ? dice.whole(2, 5) : this.#peers
    const sides = Array.from({ length: count }, (): number[] => [])
    // Also those who are to come: three times as many as there are at once will do.
    for (let device = 0; device < 3 * this.#peers; device += 1) {
      const side = away === 'few' && dice.chance(0.8) ? sides[0] : dice.pick(sides)
      side?.push(device)
    }
    return sides
  }

  #drawStorms(): void {
    const dice = this.#dice
    for (let left = dice.whole(0, 2); left > 0; left -= 1) {
      const atMs = dice.whole(0, this.#quietAtMs - 1)
      this.#steps.push({ atMs, act: 'weather', conditions: this.#weather() })
    }
  }

  #carryOut(): void {
    for (let next = this.#earliest(); next !== undefined; next = this.#earliest()) this.#carryOutOne(next)
  }

  #earliest(): Intention | undefined {
    const first = this.#intentions.reduce<number>(
      (best, { atMs }, index) => (atMs < (this.#intentions[best]?.atMs ?? Infinity) ? index : best),
      0,
    )
    return this.#intentions.splice(first, 1)[0]
  }

  #carryOutOne({ atMs, what, device: named }: Intention): void {
    const dice = this.#dice
    const device = named ?? dice.pick([...this.#present].filter(({ malice }) => malice === undefined))
    if (device === undefined) return
    switch (what) {
      case 'join':
        if (this.#present.size + this.#asleep.size >= this.#peers) return
        this.#present.add(device)
        this.#step(atMs, what, device)
        this.#sendEarly(atMs, device)
        return
      case 'churn':
        this.#present.delete(device)
        this.#end(atMs, device)
        this.#return(atMs, device)
        return
      case 'sleep':
        this.#present.delete(device)
        this.#asleep.add(device)
        this.#step(atMs, what, device)
        this.#intend({ atMs: atMs + dice.whole(1, 100) * SECOND, what: 'wake', device })
        return
      case 'wake':
        this.#asleep.delete(device)
        this.#present.add(device)
        this.#step(atMs, what, device)
        this.#sendEarly(atMs, device)
        return
      case 'send':
        this.#send(atMs, device, dice.chance(0.1) ? dice.whole(2, 12) : 1)
        return
      case 'change':
        this.#change(atMs, device, dice.chance(0.1) ? dice.whole(2, 8) : 1)
        return
      case 'trespass':
        this.#steps.push({ atMs, act: 'change', device: device.number, change: what, count: 1 })
        return
      case 'attack':
        this.#steps.push({ atMs, act: 'attack', device: device.number, attack: this.#attack() })
        return
      default:
        this.#step(atMs, what, device)
    }
  }

  /** Some have something to say before they are connected. */
  #sendEarly(atMs: number, device: DeviceSpec): void {
    if (device.malice !== undefined) return
    if (this.#dice.chance(0.2)) this.#send(atMs + this.#dice.whole(1, 300), device, 1)
    if (this.#dice.chance(0.2)) this.#change(atMs + this.#dice.whole(1, 300), device, 1)
  }

  #send(atMs: number, device: DeviceSpec, count: number): void {
    this.#steps.push({ atMs, act: 'send', device: device.number, count })
  }

  #change(atMs: number, device: DeviceSpec, count: number): void {
    const change: Change = this.#dice.weighted({ edit: 4, delete: 2, react: 4, unreact: 1 })
    this.#steps.push({ atMs, act: 'change', device: device.number, change, count })
  }

  /** Goes; some show or say something right before, which may come after it. */
  #end(atMs: number, device: DeviceSpec): void {
    const dice = this.#dice
    if (dice.chance(0.3)) this.#step(atMs - dice.whole(1, 200), 'show', device)
    if (dice.chance(0.3)) this.#send(atMs - dice.whole(1, 200), device, 1)
    if (dice.chance(0.3)) this.#change(atMs - dice.whole(1, 200), device, 1)
    this.#step(atMs, dice.chance(0.6) ? 'crash' : 'leave', device)
  }

  /** Most who go come back, as who they were or as somebody else. */
  #return(atMs: number, device: DeviceSpec): void {
    const dice = this.#dice
    if (!dice.chance(0.75)) return
    const isSame = dice.chance(0.6)
    const back = this.#device(
      isSame ? device.user : undefined,
      undefined,
      isSame ? device.offsetMs : undefined,
    )
    this.#intend({ atMs: atMs + dice.whole(500, 60_000), what: 'join', device: back })
  }

  #attack(): Attack {
    return this.#dice.weighted({
      forge: 3,
      replay: 3,
      flood: 1,
      'flood-invalid': 1,
      'garbage-gossip': 1,
      'garbage-streams': 2,
      future: 2,
      equivocate: 1,
      'pose-as-peer': 1,
      tamper: 2,
      'change-nothing': 1,
      'change-first': 2,
      'edit-twice': 2,
      contradict: 2,
      'flood-changes': 1,
    })
  }

  #step(
    atMs: number,
    act: 'join' | 'leave' | 'crash' | 'sleep' | 'wake' | 'type' | 'show' | 'look-back',
    device: DeviceSpec,
  ): void {
    this.#steps.push({ atMs, act, device: device.number })
  }
}
