/**
 * What has to hold in every run. `now` is a failure of the run; `sync` is what
 * holds only with reconciliation (`/ghostchat/sync/1.0.0`), and is counted until then.
 */
export const INVARIANTS = {
  /** No message is told twice to one listener, live and as backlog together. */
  'told-once': 'now',
  /** What is told was signed by its author. */
  genuine: 'now',
  /** Nothing fails beside a call, nothing is thrown, nothing is rejected without being handled. */
  'no-failure': 'now',
  /** What one honest gate rejects no other honest gate accepts. */
  'one-verdict': 'now',
  /** What is told of a user adds up: joined and left take turns. */
  'joined-left': 'now',
  /** Whoever crashed is on no list 95 s later, by clocks that agree. */
  'crash-noticed': 'now',
  /** In calm weather everybody is told everything as it is sent. */
  'calm-delivery': 'now',
  /** In calm weather nobody comes or goes who does not. */
  'calm-roster': 'now',
  /** In the end all list exactly the honest devices that are there. */
  'true-roster': 'now',
  /** In the end all show the same of everybody, malicious ones too. */
  'same-roster': 'now',
  /** No message waits while somebody is within reach. */
  sent: 'now',
  /** All have the messages they share in the same order. */
  'same-order': 'now',
  /** Whoever left has no timer set. */
  'no-leaks': 'now',
  /** In the end all have the same messages of honest authors. */
  'same-history': 'now',
  /** … and of malicious ones. */
  'same-history-of-all': 'now',
  /** Delivery and lists are right also where malicious devices that pass nothing on are all that is between honest ones. */
  eclipse: 'sync',
  /** Everything in the history was told. */
  'told-all': 'now',
  /** Every own message is acknowledged or failed in the end. */
  acknowledged: 'now',
} as const satisfies Record<string, 'now' | 'sync'>

export type Invariant = keyof typeof INVARIANTS

/** An invariant that did not hold. */
export interface Violation {
  invariant: Invariant
  atMs: number
  /** The first difference, in words. */
  detail: string
}
