import type { Multiaddr } from '@multiformats/multiaddr'
import { describe, expect, it } from 'vitest'
import { checkLibp2p } from '../../../src/network/borrowed-libp2p.ts'
import { codeOf } from '../../support/world.ts'

const pubsub = { getSubscribers() {}, topicValidators: new Map(), globalSignaturePolicy: 'StrictNoSign' }

/** A libp2p node with these services that can dial addresses of which `dials` says so. */
function libp2pWith(
  options: { services?: unknown; status?: string; dials?: (address: string) => boolean } = {},
) {
  const { services = { pubsub }, status = 'started', dials = () => true } = options
  return { dial() {}, services, status, isDialable: async (address: Multiaddr) => dials(String(address)) }
}

const isCircuit = (address: string): boolean => address.includes('/p2p-circuit')

describe('the libp2p node of a dapp', () => {
  it('is taken as it is when it has what a chat needs', async () => {
    const libp2p = libp2pWith()
    expect(await checkLibp2p(libp2p, true)).toBe(libp2p)
  })

  it('need not dial anything where no nodes are named', async () => {
    const libp2p = libp2pWith({ dials: () => false })
    expect(await checkLibp2p(libp2p, false)).toBe(libp2p)
  })

  it.each([
    ['nothing', null, 'libp2p 3'],
    ['a number', 5, 'libp2p 3'],
    ['an object of another kind', {}, 'libp2p 3'],
    ['a libp2p node without services', { dial() {} }, 'libp2p 3'],
    ['a libp2p node whose services are nothing', { dial() {}, services: null }, 'chatGossipsub()'],
    ['no gossipsub', libp2pWith({ services: {} }), 'chatGossipsub()'],
    ['pubsub of another kind', libp2pWith({ services: { pubsub: { subscribe() {} } } }), 'chatGossipsub()'],
    [
      'gossip that is signed twice',
      libp2pWith({ services: { pubsub: { ...pubsub, globalSignaturePolicy: 'StrictSign' } } }),
      "'StrictNoSign'",
    ],
    ['a libp2p node that was not started', libp2pWith({ status: 'stopped' }), 'start it first'],
    ['no WebSockets', libp2pWith({ dials: isCircuit }), 'webSockets()'],
    ['no circuit relay', libp2pWith({ dials: (to) => !isCircuit(to) }), 'circuitRelayTransport()'],
  ])('is refused with what it lacks: %s', async (_what, libp2p, lacks) => {
    expect(await codeOf(() => checkLibp2p(libp2p, true))).toBe('invalid-option')
    await expect(checkLibp2p(libp2p, true)).rejects.toThrow(lacks)
  })

  it('is refused when it cannot say what it dials', async () => {
    const libp2p = { ...libp2pWith(), isDialable: async () => Promise.reject(new Error('no')) }
    expect(await codeOf(() => checkLibp2p(libp2p, true))).toBe('invalid-option')
  })
})
