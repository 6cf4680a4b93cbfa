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
/** … and of one member: a tab each, and those that were just closed. The one heard of longest ago makes room. */
export const ROSTER_MAX_DEVICES_EACH = 16
/** The most identifiers of seen events a gate remembers, of those that live for 90 s and of those that live longer. */
export const SEEN_MAX = 16_384
/**
 * The same for all rooms of a node together: what one client may bring in the 10 minutes for which gossipsub remembers messages
 * by itself. 32 bytes apiece.
 */
export const HUB_SEEN_MAX = 262_144
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
export const SYNC_MAX_BYTES = 4 * 1024 * 1024
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
/** The pause after an attempt that left a gap open, where somebody else names what is missing … */
export const GAP_REST_MS = 10_000
/** … and the longest one otherwise. */
export const GAP_RETRY_MAX_MS = 60_000
/** How long a newcomer waits for somebody to ask. */
export const GREETING_WAIT_MS = 2_000
/**
 * How long after it caught up a device looks a second time, at one member: an
 * event that was on its way while it connected may have reached neither it nor
 * yet those it asked.
 */
export const SECOND_LOOK_MS = 3_000
/** How long a device waits on average before it compares with a member although nothing seems to be missing … */
export const QUIET_LOOK_MS = 40_000
/** … doubled as long as nothing is, up to this: then a room of 30 compares every 20 s, all of it together. */
export const QUIET_LOOK_MAX_MS = 10 * 60_000
/** How long to wait on average before passing on by gossip what came in a comparison: gossip may still bring it. */
export const BRIDGE_WAIT_MS = 2_000
/** How many events are passed on at once after that: a node takes so many a second of everybody, whatever others do … */
export const BRIDGE_MAX_EVENTS = 4
/** … and how many wait for it at most. */
export const BRIDGE_PENDING_MAX = 256
/** How long `requestBacklog` waits for a first connection. */
export const CONNECT_WAIT_MS = 5_000
/** How long to wait with an acknowledgement: the next event of anybody is one. */
export const ACKNOWLEDGE_MS = 1_000
/**
 * The shortest time between two of a device: before an author sends again what nobody acknowledged, and less than half of what
 * a node assures to a client, so that in a room that is flooded it has something left to say.
 */
export const ACKNOWLEDGE_PAUSE_MS = 3_000
/** How long after it was sent a message that nobody acknowledged is sent again, doubled each time … */
export const RESEND_MS = 5_000
/** … up to this. */
export const RESEND_MAX_MS = 60_000
/** How many members greet a newcomer by renewing their presence early. */
export const GREETERS = 3
/** The shortest time between two greetings of one device. */
export const GREETING_PAUSE_MS = 1_000

/**
 * What a device may send: so many events at once, and so many a second from then
 * on. A whole window twice over, and more than people and most programs write. In
 * how many gossip messages, because each is handed to everybody by itself: 32 events fit into
 * one. An outbox that keeps to both is over none of the rates below.
 */
export const AUTHOR_BURST = 2_000
export const AUTHOR_PER_SECOND = 100
export const AUTHOR_BURST_MESSAGES = 100
export const AUTHOR_MESSAGES_PER_SECOND = 20
/** What a node takes from one author in one room: two devices of one user at full speed. */
export const HUB_AUTHOR_BURST = 4_000
export const HUB_AUTHOR_PER_SECOND = 200
/** What a device takes from one author: what a node let through over 10 s may come all at once. */
export const ROOM_AUTHOR_BURST = 6_000
export const ROOM_AUTHOR_PER_SECOND = 300

/** What somebody may bring at once, or each second: gossip messages, the events in them, and bytes. */
interface Loads {
  messages: number
  events: number
  bytes: number
}

/**
 * What one client may bring to a node, for all its rooms: itself at full speed, and
 * as much again of members that reach the node through it only. 2,000 of the
 * longest messages take 13 MB.
 */
export const CLIENT_BURST: Loads = { messages: 2_000, events: 4_000, bytes: 32 * 1024 * 1024 }
export const CLIENT_PER_SECOND: Loads = { messages: 100, events: 400, bytes: 2 * 1024 * 1024 }
/** How many authors that are new to a node a client may bring at once … */
export const CLIENT_NEW_AUTHORS = 32
/**
 * … and a second from then on: one in two seconds. 40 clients that make up
 * authors as fast as they may bring fewer in the 30 s between two renewals than a
 * roster holds, so they push out nobody who is there.
 */
export const CLIENT_NEW_AUTHORS_PER_SECOND = 0.5

/**
 * What every client may bring to a node whatever others do: a join, renewals, and a
 * lively conversation. What is beyond comes out of what a room has for all. 40
 * clients that use it to the full in a room of 50 make a node hand out 4,000 messages a second.
 */
export const ASSURED_BURST: Loads = { messages: 10, events: 64, bytes: 256 * 1024 }
export const ASSURED_PER_SECOND: Loads = { messages: 2, events: 20, bytes: 32 * 1024 }
/**
 * How many newcomers from one address begin with a whole burst of that, at once and a second. Others begin with a join and
 * a renewal: whoever is put out for flooding and comes back as somebody else would begin with a burst each time.
 */
export const ASSURED_NEWCOMERS = 4
export const ASSURED_NEWCOMERS_PER_SECOND = 0.1
export const ASSURED_BEGINNING: Loads = { messages: 2, events: 4, bytes: 32 * 1024 }
/**
 * What a room has for those who bring more than is assured to them: the bursts of
 * two devices at once, then one device at full speed beside what is assured to each.
 */
export const ROOM_POOL_BURST: Loads = { messages: 200, events: 4_000, bytes: 24 * 1024 * 1024 }
export const ROOM_POOL_PER_SECOND: Loads = { messages: 20, events: 100, bytes: 2 * 1024 * 1024 }

/**
 * What a neighbour that carries everybody's events may bring: a node to its clients
 * and to nodes that name it, a member to members. What a processor verifies in a
 * third of its time.
 */
export const CARRIER_BURST: Loads = { messages: 20_000, events: 20_000, bytes: 128 * 1024 * 1024 }
export const CARRIER_PER_SECOND: Loads = { messages: 2_000, events: 2_000, bytes: 12 * 1024 * 1024 }
/** A node that comes back brings everybody at once: twice what a roster holds. */
export const CARRIER_NEW_AUTHORS = 4_000
export const CARRIER_NEW_AUTHORS_PER_SECOND = 20

/** How many sources, authors and rooms the rates remember, each: some 150 bytes apiece. */
export const RATES_MAX_KEYS = 16_384
