/** What a page does that takes part. `open` is that of a peer, in whose page it is bundled. */

const AT_ONCE = 100
/** @type {(address: string | number) => Promise<{ join: (room: string) => Promise<any> }>} */
let openPeer
let session
let chat
let heard = 0
let latencies = []
let wake = () => {}

const now = () => performance.timeOrigin + performance.now()
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, Math.max(0, ms)))
const textOf = (bytes) => `${now().toFixed(3)} `.padEnd(bytes, 'x')

/** Makes the page one of a peer. */
export function takePart(open) {
  openPeer = open
}

globalThis.bench = {
  async open(address) {
    session = await openPeer(address)
  },

  async join(room) {
    chat = await session.join(room)
    chat.onText((text) => {
      heard += 1
      latencies.push(now() - Number.parseFloat(text))
      wake()
    })
  },

  others: () => chat.others?.(),

  /** From nothing, or where the space is open already: how long until the first text is heard, in milliseconds. */
  async firstText(address, room) {
    const beganAt = performance.now()
    if (session === undefined) await bench.open(address)
    await bench.join(room)
    await bench.hear(1, 30_000)
    return performance.now() - beganAt
  },

  reset() {
    heard = 0
    latencies = []
  },

  async hear(count, timeoutMs) {
    const until = performance.now() + timeoutMs
    const late = setTimeout(() => wake(), timeoutMs)
    while (heard < count && performance.now() < until) await new Promise((resolve) => (wake = resolve))
    clearTimeout(late)
    return { heard, latencies }
  },

  /** Says so many texts: all at once, or so many a second. */
  async talk({ count, bytes, perSecond, afterMs = 0 }) {
    const beganAt = performance.now() + afterMs
    for (let number = 0; number < count; number += perSecond === undefined ? AT_ONCE : 1) {
      if (perSecond === undefined) {
        await chat.send(Array.from({ length: Math.min(AT_ONCE, count - number) }, () => textOf(bytes)))
        await pause(0)
      } else {
        await pause(beganAt + (number * 1_000) / perSecond - performance.now())
        void chat.send([textOf(bytes)])
      }
    }
  },
}
