import fc from 'fast-check'
import { CID } from 'multiformats/cid'
import { describe, expect, it } from 'vitest'
import { isEmoji } from '../../src/wire/emoji.ts'
import { isJsonObject, isJsonValue, isRecord } from '../../src/wire/json.ts'
import { decodeNodeInfo, isIceServer, NODE_INFO_MAX_BYTES } from '../../src/wire/node-info.ts'
import { topicCid } from '../../src/wire/topic-cid.ts'
import { emoji, wellFormedText } from '../support/arbitraries.ts'
import { property } from '../support/property.ts'
import { runs } from '../support/runs.ts'

const JOINER = '\u200d'
const bytesIn = (text: string): number => Buffer.byteLength(text)

/** What goes with the character before it, as far as emojis have it. */
const MARKS = [
  [0x0300, 0x036f],
  [0x20d0, 0x20ff],
  [0xfe00, 0xfe0f],
] as const

describe('emojis', () => {
  const pieces = fc.string({
    unit: fc.constantFrom(
      '👍',
      '🇨',
      '🇭',
      '\ufe0f',
      '🏽',
      JOINER,
      'e',
      '\u0301',
      '\u20e3',
      ' ',
      '\u202e',
      '\ud83d',
      'א',
      '\u{e0067}',
    ),
    maxLength: 24,
  })

  it('are one character, or several with a joiner between each two, and nothing else', () => {
    fc.assert(
      property(fc.oneof(pieces, fc.string({ unit: 'binary', maxLength: 5 }), emoji), (text) => {
        if (!isEmoji(text)) return
        expect(text.isWellFormed() && bytesIn(text) <= 64 && text !== '').toBe(true)
        // Each part between joiners is one by itself, and does not begin with what is invisible or goes with the character before it. (The wire
        // knows the marks that emojis have, and not those of all scripts.)
        for (const part of text.split(JOINER)) {
          expect(isEmoji(part)).toBe(true)
          expect(part).not.toMatch(/^[\p{Cc}\p{Z}\p{Cs}\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]/u)
          const first = part.codePointAt(0) ?? 0
          const isMark = MARKS.some(([from, to]) => first >= from && first <= to)
          expect(isMark).toBe(false)
        }
        expect(text).not.toMatch(/[\p{Cc}\p{Z}\p{Bidi_Control}]/u)
      }),
      runs(500),
    )
  })

  it('make another one where they are joined, as far as that is not too long, and none side by side', () => {
    fc.assert(
      property(emoji, emoji, (one, other) => {
        const joined = one + JOINER + other
        expect(isEmoji(joined)).toBe(bytesIn(joined) <= 64)
        expect(isEmoji(one + other)).toBe(false)
      }),
      runs(300),
    )
  })
})

/** JSON has one zero. */
function withoutSigns(value: unknown): unknown {
  if (typeof value === 'number') return value + 0
  if (Array.isArray(value)) return value.map(withoutSigns)
  if (!isRecord(value)) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, withoutSigns(item)]))
}

describe('JSON', () => {
  it('is what comes out of it as it went in', () => {
    const odd = fc.constantFrom<unknown>(
      Number.NaN,
      Number.POSITIVE_INFINITY,
      '\ud800',
      new Date(0),
      undefined,
      () => {},
      { __proto__: null, a: 1 },
      Symbol('x'),
      1n,
    )
    const value = fc.oneof(
      fc.anything(),
      fc.jsonValue(),
      fc.tuple(fc.jsonValue(), odd),
      fc.record({ a: odd }),
    )
    fc.assert(
      property(value, (any) => {
        if (!isJsonValue(any)) return
        expect(JSON.parse(JSON.stringify(any))).toEqual(withoutSigns(any))
      }),
      runs(500),
    )
  })

  it('is no object that is nested deeper than it may be, or could not be written', () => {
    fc.assert(
      property(fc.integer({ min: 1, max: 12 }), fc.boolean(), (depth, isList) => {
        let nested: unknown = 'x'
        for (let level = 0; level < depth; level += 1) nested = isList && level > 0 ? [nested] : { nested }
        const whole = { nested }
        expect(isJsonObject(whole)).toBe(depth < 8)
      }),
      runs(),
    )
  })
})

describe('what a node says of itself', () => {
  const url = fc.oneof(
    fc.constantFrom(
      'stun:a.example:3478',
      'turn:[::1]:1?transport=udp',
      'turns:x',
      'stun:x?transport=tcp',
      'http://x',
    ),
    fc.string({
      unit: fc.constantFrom('stun:', 'turn:', 'a', '.', '-', ':', '1', '9', '?', '[', ']', 'transport=udp'),
      maxLength: 40,
    }),
  )
  const ice = fc.oneof(
    fc.record(
      {
        urls: fc.oneof(url, fc.array(url, { maxLength: 10 })),
        username: fc.string(),
        credential: fc.string(),
      },
      { requiredKeys: [] },
    ),
    fc.jsonValue({ maxDepth: 1 }),
  )
  const texts = fc.oneof(fc.array(fc.string(), { maxLength: 40 }), fc.jsonValue({ maxDepth: 1 }))
  const said = fc.record(
    {
      version: fc.oneof(fc.constant('1.0.0'), fc.jsonValue({ maxDepth: 0 })),
      peerId: fc.oneof(fc.constant('12D3'), fc.jsonValue({ maxDepth: 0 })),
      multiaddrs: texts,
      time: fc.oneof(fc.constant(1), fc.double(), fc.jsonValue({ maxDepth: 0 })),
      stunPort: fc.oneof(fc.integer({ min: -1, max: 70_000 }), fc.jsonValue({ maxDepth: 0 })),
      iceServers: fc.oneof(fc.array(ice, { maxLength: 10 }), fc.jsonValue({ maxDepth: 1 })),
      peers: texts,
      more: fc.jsonValue({ maxDepth: 1 }),
    },
    { requiredKeys: ['version', 'peerId', 'multiaddrs', 'time'] },
  )

  it('is bounded, can be said again, and has no server that WebRTC would throw at', () => {
    fc.assert(
      property(said, (any) => {
        const info = decodeNodeInfo(JSON.stringify(any))
        if (info === undefined) return
        expect(decodeNodeInfo(JSON.stringify(info))).toEqual(info)
        expect(Math.max(info.multiaddrs.length, info.peers.length)).toBeLessThanOrEqual(32)
        expect(info.iceServers.length).toBeLessThanOrEqual(8)
        expect(info.iceServers.every(isIceServer)).toBe(true)
        expect(Number.isNaN(new Date(info.time).getTime())).toBe(false)
      }),
      runs(500),
    )
  })

  it('is read in no time however long and hostile it is', () => {
    const hostile = fc
      .tuple(
        fc.constantFrom('stun:', 'turn:', 'stun:[', 'turn:a.'),
        fc.constantFrom('a', '-', '.', ':', 'a.', '0', '['),
      )
      .map(([start, unit]) => start + unit.repeat(NODE_INFO_MAX_BYTES))
    fc.assert(
      property(hostile, (urls) => {
        expect(isIceServer({ urls })).toBe(false)
      }),
      // There are only so many.
      { numRuns: 100 },
    )
  })
})

describe('the CID of a topic', () => {
  it('is a CIDv1 of a sha2-256 that only this topic has', () => {
    fc.assert(
      property(wellFormedText, wellFormedText, (one, other) => {
        const cid = topicCid(one)
        expect(CID.parse(cid.toString()).equals(cid)).toBe(true)
        expect([cid.version, cid.code, cid.multihash.code, cid.multihash.size]).toEqual([1, 0x55, 0x12, 32])
        expect(topicCid(other).equals(cid)).toBe(one === other)
      }),
      runs(),
    )
  })
})
