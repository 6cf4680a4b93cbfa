/** Who asks: the remote peer of the stream, and where it is. */
export interface Asker {
  peerId: string
  ip: string
}
