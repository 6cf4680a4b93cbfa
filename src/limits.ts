/**
 * Every number that bounds something, in one place. Sizes are bytes and times
 * are milliseconds unless the name says otherwise. The ones that are part of
 * the wire are marked; changing those makes peers disagree.
 */

/** Wire. The longest topic: the limit of a rendezvous namespace. */
export const TOPIC_MAX_BYTES = 255
/** Wire. The longest event. */
export const EVENT_MAX_BYTES = 16 * 1024
/** Wire. The longest gossip message (one or several events). */
export const FRAME_MAX_BYTES = 32 * 1024
/** Wire. The most events in one gossip message. */
export const FRAME_MAX_EVENTS = 64
/** Wire. The longest text of a message, as UTF-8. */
export const TEXT_MAX_BYTES = 4096
/**
 * Wire. The longest text of a reaction, as UTF-8. The longest emoji of Unicode, a kiss between two skin tones, has 35
 * bytes; the longest that platforms draw beyond it, a family of four with skin tones, 41. The rest is room to grow.
 */
export const EMOJI_MAX_BYTES = 64
/** Wire. The largest presence data, as JSON in UTF-8. */
export const PRESENCE_MAX_BYTES = 1024
/** Wire. The most parents an event names. */
export const PARENTS_MAX = 8

/** Wire. How long a presence event holds: three renewals, so two may be lost. */
export const LEASE_MS = 90_000
/** How often a device renews its presence. */
export const RENEW_MS = 30_000
/** Wire. How long a typing event holds. */
export const TYPING_MS = 6_000
/** How often a continuing typist says so again. */
export const TYPING_REPEAT_MS = 3_000
/** Wire. How long a message lives at most, and what changes one exactly: a day. */
export const RETENTION_MS = 24 * 60 * 60 * 1000
/** How far in the future any event may lie: clocks differ. */
export const FUTURE_MS = 60_000
/** How long a lost connection may last before the device counts as gone. */
export const GRACE_MS = 10_000

/** The most events a room keeps. */
export const WINDOW_MAX_EVENTS = 1_000
/** The most bytes of events a room keeps. */
export const WINDOW_MAX_BYTES = 4 * 1024 * 1024
/** The most devices a roster holds; the one heard of longest ago makes room. */
export const ROSTER_MAX_DEVICES = 2_000
/** The most identifiers of seen events a gate remembers. */
export const SEEN_MAX = 16_384
/** The most verification keys a process keeps imported. */
export const KEYS_MAX = 2_048
/** The most messages that wait for a first peer. */
export const OUTBOX_MAX_EVENTS = 1_000
/** The most messages that wait for a slow reader of `messages()`. */
export const READER_MAX_MESSAGES = 1_000

/** Wire. The most events that are sent where the newest are asked for. */
export const SYNC_NEWEST_MAX = 100
/** Wire. The most presence events a side sends in one comparison. */
export const SYNC_MAX_DEVICES = 500
/** Wire. The most bytes of events a side sends in one comparison. */
export const SYNC_MAX_BYTES = WINDOW_MAX_BYTES
/** Wire. The most turns of one comparison: 1,000 events take five. */
export const SYNC_TURNS_MAX = 12
/** How long a comparison may stand still. */
export const SYNC_STALL_MS = 10_000
/** How long it may take in all. */
export const SYNC_TIMEOUT_MS = 60_000
/** How many members are asked after a connection was made: one at once, the others a little later. */
export const SYNC_PEERS = 3
/** How many comparisons a device takes part in at once when others open them. */
export const SYNC_CONCURRENCY = 4
/** How many comparisons one peer may open in a row … */
export const SYNC_BURST = 8
/** … and how long it waits for each further one. */
export const SYNC_REFILL_MS = 10_000
/** How long to wait for an event that another one names, before asking for it: gossip may still bring it. */
export const GAP_WAIT_MS = 1_500
/** The longest pause between two attempts to close a gap. */
export const GAP_RETRY_MAX_MS = 60_000
/** How long a newcomer waits for somebody to ask. */
export const GREETING_WAIT_MS = 2_000
/**
 * How long after it caught up a device looks a second time, at one member: an
 * event that was on its way while it connected may have reached neither it nor
 * yet those it asked.
 */
export const SECOND_LOOK_MS = 3_000
/** How long `requestBacklog` waits for a first connection. */
export const CONNECT_WAIT_MS = 5_000
/** How long to wait with an acknowledgement: the next event of anybody is one. */
export const ACKNOWLEDGE_MS = 1_000
/** How long after it was sent a message that nobody acknowledged is sent again, doubled each time … */
export const RESEND_MS = 5_000
/** … up to this. */
export const RESEND_MAX_MS = 60_000
/** How many members greet a newcomer by renewing their presence early. */
export const GREETERS = 3
/** The shortest time between two greetings of one device. */
export const GREETING_PAUSE_MS = 1_000
