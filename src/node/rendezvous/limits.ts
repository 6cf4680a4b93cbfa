/**
 * What bounds the registry of a rendezvous point. The limits of the spec itself
 * (namespace, time to live, registrations an answer) are in `wire/rendezvous.ts`.
 */
export interface RegistryLimits {
  /** Namespaces one peer may register in. Spec: 1,000. */
  maxPerPeer: number
  /** Registrations of one IP address (of one /64 in IPv6): a conference of 500 people in 20 rooms each. And learnt from one node. */
  maxPerAddress: number
  /** Registrations in one namespace. The node's hub carries 10,000 connections. */
  maxPerNamespace: number
  /** Registrations in all. With records of 4 KiB at the most, 200 MiB if each comes from another peer. */
  maxTotal: number
  /** Bytes of one answer: rust-libp2p reads no message over 1 MiB. */
  maxAnswerBytes: number
}

export const REGISTRY_LIMITS: RegistryLimits = {
  maxPerPeer: 1_000,
  maxPerAddress: 10_000,
  maxPerNamespace: 10_000,
  maxTotal: 50_000,
  maxAnswerBytes: 1_000_000,
}

/** How many answers that left something out a registry remembers, to leave out what it told already. */
export const REMEMBERED_ANSWERS = 64
