/** Bare gossipsub, StrictSign: each message is signed by the key of the peer, and every hop verifies it. */
import { gossipPeer } from '../support/gossip-peer.mjs'

export const title = 'gossipsub, StrictSign'
export const isSigned = true
export const { serve, connect } = gossipPeer('StrictSign')
