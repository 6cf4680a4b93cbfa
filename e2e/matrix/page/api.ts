import type { PeerDiagnosis } from 'ghostchat'

/** What somebody said, as a page shows it. */
export interface Said {
  did: string
  text: string
}

/** One end of a connection between two browsers (RTCIceCandidate). */
export interface End {
  type: 'host' | 'srflx' | 'prflx' | 'relay'
  protocol: string
  /** Empty where the browser keeps it to itself. */
  address: string
}

/** An `RTCPeerConnection` the page made, in the words of the browser's own statistics. */
export interface Link {
  state: RTCPeerConnectionState
  /** The pair of candidates it uses; there is none before it is connected. */
  pair?: { local: End; remote: End }
}

/** Something the one end of a plain WebRTC connection has to tell the other. */
export type Signal = { description: RTCSessionDescriptionInit } | { candidate: RTCIceCandidateInit | null }

/** The way to somebody, as GhostChat itself sees it. */
export type Path = PeerDiagnosis['path']

export interface JoinOptions {
  space: string
  room: string
  nodes: string[]
  iceServers?: RTCIceServer[]
}

/** What the page can be asked from outside, as `window.lab`. Arguments and answers are JSON. */
export interface LabApi {
  /** Opens a space and joins a room; answers the own DID. */
  join(options: JoinOptions): Promise<string>
  /** Says something, and waits until it was handed to somebody. */
  say(text: string): Promise<void>
  /** What was said by others since this page came. */
  messages(): Said[]
  /** What was said before. */
  backlog(): Said[]
  /** Who is online, by DID, sorted. */
  online(): string[]
  /** The way to the device of everybody else, by DID, as GhostChat sees it. */
  paths(): Promise<Record<string, Path>>
  /** Leaves the room and closes the space. */
  leave(): Promise<void>

  /** Whether the browser has WebRTC at all. */
  hasWebRtc(): boolean
  /** The URLs of the WebSockets that are open. */
  sockets(): string[]
  /** How many `RTCPeerConnection`s were ever made. */
  attempts(): number
  /** Every `RTCPeerConnection` that was made and not closed. */
  links(): Promise<Link[]>

  /** Makes one end of a plain WebRTC connection, without GhostChat. */
  open(options: { iceServers: RTCIceServer[]; isCaller: boolean }): Promise<void>
  /** What this end has to tell the other; waits for something. Empty when it has said everything. */
  signals(): Promise<Signal[]>
  /** Hears what the other end told. */
  hear(signals: Signal[]): Promise<void>
  /** How it went: `open` once the data channel is, `failed` once ICE gave up. */
  outcome(): Promise<'open' | 'failed'>
}

declare global {
  interface Window {
    lab: LabApi
  }
}
