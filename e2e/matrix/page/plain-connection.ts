import type { Signal } from './api.ts'

/** One end of a WebRTC connection without GhostChat: to measure what a network lets through. */
export class PlainConnection {
  readonly outcome: Promise<'open' | 'failed'>
  readonly #connection: RTCPeerConnection
  readonly #waiting: Signal[] = []
  #isDone = false
  #wake = (): void => {}

  constructor(iceServers: RTCIceServer[]) {
    const connection = new RTCPeerConnection({ iceServers })
    this.#connection = connection
    // Both ends agree on the channel beforehand: then either hears of it without the other's say.
    const channel = connection.createDataChannel('laboratory', { negotiated: true, id: 0 })
    connection.addEventListener('icecandidate', ({ candidate }) => {
      this.#tell({ candidate: candidate?.toJSON() ?? null })
      if (candidate === null) this.#isDone = true
      this.#wake()
    })
    this.outcome = new Promise((resolve) => {
      channel.addEventListener('open', () => resolve('open'))
      connection.addEventListener('connectionstatechange', () => {
        if (connection.connectionState === 'failed') resolve('failed')
      })
    })
  }

  async call(): Promise<void> {
    await this.#connection.setLocalDescription()
    this.#tellDescription()
  }

  async hear(signals: Signal[]): Promise<void> {
    for (const signal of signals) {
      if ('candidate' in signal) await this.#connection.addIceCandidate(signal.candidate ?? undefined)
      else {
        await this.#connection.setRemoteDescription(signal.description)
        if (signal.description.type === 'offer') await this.call()
      }
    }
  }

  async signals(): Promise<Signal[]> {
    while (this.#waiting.length === 0 && !this.#isDone) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
    return this.#waiting.splice(0)
  }

  #tellDescription(): void {
    const description = this.#connection.localDescription
    // Candidates may have been told already; a description has to be heard before them.
    if (description !== null)
      this.#waiting.unshift({ description: { type: description.type, sdp: description.sdp } })
    this.#wake()
  }

  #tell(signal: Signal): void {
    this.#waiting.push(signal)
    this.#wake()
  }
}
