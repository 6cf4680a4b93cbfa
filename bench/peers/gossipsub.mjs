/** Bare gossipsub, StrictNoSign: nothing is signed and nothing is verified. */
import { gossipPeer } from '../support/gossip-peer.mjs'

export const title = 'gossipsub, StrictNoSign'
export const isSigned = false
export const { serve, connect } = gossipPeer('StrictNoSign')
