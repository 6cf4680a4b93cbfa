/** What has to hold in every run. */
export const INVARIANTS = [
  /** No message is told twice to one listener, live and as backlog together. */
  'told-once',
  /** What is told was signed by its author. */
  'genuine',
  /** Nothing fails beside a call, nothing is thrown, nothing is rejected without being handled. */
  'no-failure',
  /** What one honest gate rejects no other honest gate accepts. */
  'one-verdict',
  /** What is told of a user adds up: joined and left take turns. */
  'joined-left',
  /** Whoever crashed is on no list 95 s later, by clocks that agree. */
  'crash-noticed',
  /** In calm weather everybody is told everything as it is sent. */
  'calm-delivery',
  /** In calm weather nobody comes or goes who does not. */
  'calm-roster',
  /** In the end all list exactly the honest devices that are there. */
  'true-roster',
  /** In the end all show the same of everybody, malicious ones too. */
  'same-roster',
  /** No message waits while somebody is within reach. */
  'sent',
  /** All have the messages they share in the same order. */
  'same-order',
  /** Whoever left has no timer set. */
  'no-leaks',
  /** In the end all have the same messages of honest authors. */
  'same-history',
  /** … and of malicious ones. */
  'same-history-of-all',
  /** In the end all show the same of each message: its text, that it was edited, its reactions. */
  'same-state',
  /** No text is another, no message gone and nobody's reaction shown but by whom it is due to. */
  'only-author',
  /** What a user may not do is refused, and nothing of it signed. */
  'refused',
  /** The text of a deleted message is nowhere, and given to nobody. */
  'deleted-gone',
  /** What is told of messages adds up to what they are. */
  'told-right',
  /** Whoever asks is given all there is. */
  'served',
  /** Delivery and lists are right also where malicious devices that pass nothing on are all that is between honest ones. */
  'eclipse',
  /** Everything in the history was told. */
  'told-all',
  /** Every own message is acknowledged or failed in the end. */
  'acknowledged',
] as const

export type Invariant = (typeof INVARIANTS)[number]

/** An invariant that did not hold. */
export interface Violation {
  invariant: Invariant
  atMs: number
  /** The first difference, in words. */
  detail: string
}
