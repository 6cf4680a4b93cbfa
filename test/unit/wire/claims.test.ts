import { describe, expect, it } from 'vitest'
import {
  areClaims,
  decodeClaims,
  encodeClaims,
  isPresenceData,
  isText,
  lifetimeMs,
} from '../../../src/wire/claims.ts'
import { eventId } from '../../../src/wire/event-id.ts'
import { claimsBy, testAuthor, testPeerId } from '../../support/authors.ts'

const ada = testAuthor(1)
const peer = testPeerId(1)
const jti = 'AAECAwQFBgcICQoLDA0ODw'
const message = claimsBy(ada, 'message', { text: 'hello' }, { jti })
const json = encodeClaims(message)
const join = claimsBy(ada, 'join', { peer, data: { name: 'Ada' } }, { jti })

/** The JSON of these claims with one piece replaced. */
function edited(text: string, from: string, to: string): string {
  expect(text).toContain(from)
  return text.replace(from, () => to)
}

describe('encodeClaims', () => {
  it('writes the keys in one order, whatever the order they came in', () => {
    const shuffled = Object.fromEntries(Object.entries(message).reverse()) as unknown as typeof message
    expect(encodeClaims(shuffled)).toBe(json)
    expect(Object.keys(JSON.parse(json) as object)).toEqual([
      'iss',
      'aud',
      'iat',
      'exp',
      'jti',
      'type',
      'parents',
      'text',
    ])
  })

  it('writes what this wire writes', () => {
    expect(json).toBe(
      `{"iss":"${ada.did}","aud":"3box.chat.space.room","iat":1800000000,"exp":1800086400,"jti":"${jti}","type":"message","parents":[],"text":"hello"}`,
    )
  })
})

describe('decodeClaims', () => {
  it('finds the claims again', () => {
    expect(decodeClaims(json)).toEqual(message)
    expect(decodeClaims(encodeClaims(join))).toEqual(join)
  })

  it.each([
    ['an unknown claim', edited(json, ',"text"', ',"admin":true,"text"')],
    ['an unknown claim at the end', edited(json, '"hello"}', '"hello","nbf":1}')],
    ['a claim of another type', edited(json, '"hello"}', '"hello","state":"start"}')],
    ['a duplicate key', edited(json, '"text":"hello"', '"text":"other","text":"hello"')],
    [
      'the same key twice with the same value',
      edited(json, '"text":"hello"', '"text":"hello","text":"hello"'),
    ],
    ['another order', edited(json, '"type":"message","parents":[]', '"parents":[],"type":"message"')],
    ['white space', edited(json, '{"iss"', '{ "iss"')],
    ['white space after it', `${json} `],
    ['a line feed after it', `${json}\n`],
    ['a byte order mark', `\ufeff${json}`],
    ['a number as 1.0', edited(json, '1800000000,', '1800000000.0,')],
    ['a number as 1e3', edited(json, '1800000000,', '18e8,')],
    ['a number with a plus in the exponent', edited(json, '1800000000,', '1.8e+9,')],
    ['a number with too many digits', edited(json, '1800000000,', '1800000000.0000001,')],
    ['a number that is text', edited(json, '1800000000,', '"1800000000",')],
    ['an escaped letter', edited(json, '"hello"', '"h\\u0065llo"')],
    ['an escaped slash', edited(json, '"hello"', '"\\/"')],
    ['an escaped key', edited(json, '"text"', '"te\\u0078t"')],
    ['a __proto__ key', edited(json, '"hello"}', '"hello","__proto__":{}}')],
    ['an array around it', `[${json}]`],
    ['nothing', ''],
    ['null', 'null'],
    ['half of it', json.slice(0, -1)],
    ['two of them', json + json],
  ])('refuses %s', (_what, text) => {
    expect(decodeClaims(text)).toBeUndefined()
  })

  it.each(['iss', 'aud', 'iat', 'exp', 'jti', 'type', 'parents', 'text'])(
    'refuses claims without %s',
    (key) => {
      const { [key]: _missing, ...rest } = message as unknown as Record<string, unknown>
      expect(decodeClaims(JSON.stringify(rest))).toBeUndefined()
      expect(areClaims(rest)).toBe(false)
    },
  )

  it.each(['iss', 'aud', 'iat', 'exp', 'jti', 'type', 'parents', 'text'])('refuses null as %s', (key) => {
    expect(decodeClaims(JSON.stringify({ ...message, [key]: null }))).toBeUndefined()
  })
})

describe('areClaims', () => {
  const ids = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i'].map((text) => eventId(text)).sort()

  it.each([
    ['another method', { iss: 'did:web:example.com' }],
    ['another kind of key', { iss: 'did:key:zQ3shokFTS3brHcDQrn82RUDfCZESWL1ZdCEJwekUDPQiYBme' }],
    ['a fragment', { iss: `${ada.did}#key` }],
    ['a line feed after the DID', { iss: `${ada.did}\n` }],
    ['no time', { iat: 0 }],
    ['a negative time', { iat: -5, exp: 5 }],
    ['less than a millisecond', { iat: 1_800_000_000.0001 }],
    ['milliseconds instead of seconds', { iat: 1_800_000_000_000, exp: 1_800_000_086_400 }],
    ['an end at the beginning', { exp: 1_800_000_000 }],
    ['an end before the beginning', { exp: 1_799_999_999 }],
    ['a life of a millisecond too long', { exp: 1_800_086_400.001 }],
    ['a life for ever', { exp: 99_999_999_999 }],
    ['a short jti', { jti: jti.slice(1) }],
    ['a long jti', { jti: `${jti}A` }],
    ['a jti with bits left over', { jti: `${jti.slice(0, -1)}x` }],
    ['a jti in the other alphabet', { jti: `+${jti.slice(1)}` }],
    ['an unknown type', { type: 'direct' }],
    ['a type every object has', { type: 'toString' }],
    ['a type as a list', { type: ['message'] }],
    ['parents that are not sorted', { parents: [ids[1], ids[0]] }],
    ['a parent twice', { parents: [ids[0], ids[0]] }],
    ['nine parents', { parents: ids }],
    ['a parent that is no id', { parents: ['bafkreiaaa'] }],
    ['parents that are an object', { parents: {} }],
    ['an empty text', { text: '' }],
    ['a text with a lone surrogate', { text: 'a\ud800' }],
    ['a text that is none', { text: ['hello'] }],
    ['a text of 4,097 bytes', { text: 'x'.repeat(4097) }],
    ['an answer to something that is no id', { replyTo: 'the first' }],
  ])('refuses %s', (_what, change) => {
    expect(areClaims({ ...message, ...change })).toBe(false)
  })

  it('accepts the longest life, the most parents, the longest text and the earliest end', () => {
    expect(areClaims({ ...message, parents: ids.slice(0, 8) })).toBe(true)
    expect(areClaims({ ...message, text: 'é'.repeat(2048) })).toBe(true)
    expect(areClaims({ ...message, exp: 1_800_086_400 })).toBe(true)
    expect(areClaims({ ...message, exp: 1_800_000_000.001 })).toBe(true)
    expect(areClaims({ ...message, replyTo: ids[0] })).toBe(true)
  })

  it.each([
    ['join', 90_000],
    ['presence', 90_000],
    ['leave', 90_000],
    ['message', 86_400_000],
    ['edit', 86_400_000],
    ['delete', 86_400_000],
    ['reaction', 86_400_000],
    ['typing', 6_000],
  ] as const)('knows how long a %s may live', (type, expected) => {
    expect(lifetimeMs(type)).toBe(expected)
  })

  it.each([
    ['no peer', { peer: undefined }],
    ['a peer id that is too short', { peer: '12D3KooW' }],
    ['a peer id in another alphabet', { peer: peer.replace(/.$/, '0') }],
    ['a peer id with a path', { peer: `/p2p/${peer}` }],
    ['no time since when', { since: undefined }],
    ['a time since when that is still to come', { since: 1_800_000_000.001 }],
    ['a time since when between two milliseconds', { since: 1_799_999_999.0001 }],
    ['a time since when that is text', { since: '1799999999' }],
    ['data that is a list', { data: [] }],
    ['no data', { data: null }],
    ['data of 1,025 bytes', { data: { a: 'x'.repeat(1025 - '{"a":""}'.length) } }],
    ['data with a lone surrogate', { data: { name: '\udc00' } }],
    ['a key with a lone surrogate', { data: { '\udc00': 1 } }],
  ])('refuses a join with %s', (_what, change) => {
    expect(areClaims({ ...join, ...change })).toBe(false)
  })

  it('refuses a leave with data and a typing of another state', () => {
    expect(areClaims(claimsBy(ada, 'leave', { peer: 'somebody' }))).toBe(false)
    expect(decodeClaims(JSON.stringify({ ...claimsBy(ada, 'leave', { peer }), data: {} }))).toBeUndefined()
    expect(areClaims({ ...claimsBy(ada, 'typing', { state: 'start' }), state: 'pause' })).toBe(false)
  })
})

describe('the claims of a change', () => {
  const target = eventId('a message')
  const edit = claimsBy(ada, 'edit', { target, text: 'hello' }, { jti })
  const deletion = claimsBy(ada, 'delete', { target }, { jti })
  const reaction = claimsBy(ada, 'reaction', { target, emoji: '👍', state: 'add' }, { jti })
  const all = [edit, deletion, reaction]

  it('are written as this wire writes them', () => {
    const common = `{"iss":"${ada.did}","aud":"3box.chat.space.room","iat":1800000000,"exp":1800086400,"jti":"${jti}"`
    expect(all.map(encodeClaims)).toEqual([
      `${common},"type":"edit","parents":[],"target":"${target}","text":"hello"}`,
      `${common},"type":"delete","parents":[],"target":"${target}"}`,
      `${common},"type":"reaction","parents":[],"target":"${target}","emoji":"👍","state":"add"}`,
    ])
    for (const claims of all) expect(decodeClaims(encodeClaims(claims))).toEqual(claims)
  })

  it('end after a day, neither later nor sooner', () => {
    for (const claims of all) {
      expect(areClaims(claims)).toBe(true)
      expect(areClaims({ ...claims, exp: 1_800_086_400.001 })).toBe(false)
      expect(areClaims({ ...claims, exp: 1_800_086_399.999 })).toBe(false)
    }
  })

  it.each([
    ['a change without a target', { target: undefined }, all],
    ['a change of something that is no id', { target: 'the first' }, all],
    ['an empty edit', { text: '' }, [edit]],
    ['an edit of 4,097 bytes', { text: 'x'.repeat(4097) }, [edit]],
    ['an edit with a lone surrogate', { text: 'a\ud800' }, [edit]],
    ['a reaction of two emojis', { emoji: '👍👍' }, [reaction]],
    ['a reaction without one', { emoji: '' }, [reaction]],
    ['a reaction of another state', { state: 'toggle' }, [reaction]],
  ])('refuses %s', (_what, change, claims) => {
    for (const each of claims) expect(areClaims({ ...each, ...change })).toBe(false)
  })

  it.each([
    ['a delete with a text', deletion, ',"text":"hello"'],
    ['an edit with an answer', edit, `,"replyTo":"${eventId('another')}"`],
    ['a reaction with a count', reaction, ',"count":2'],
  ])('refuses %s', (_what, claims, more) => {
    expect(decodeClaims(encodeClaims(claims).replace(/}$/, `${more}}`))).toBeUndefined()
  })

  it('never normalizes an emoji: two forms of one letter are two', () => {
    const forms = ['é', 'e\u0301'].map((emoji) => ({ ...reaction, emoji }))
    expect(forms.map(areClaims)).toEqual([true, true])
    expect(new Set(forms.map((claims) => encodeClaims(claims as typeof reaction))).size).toBe(2)
  })
})

describe('isPresenceData', () => {
  it('accepts up to 1,024 bytes of UTF-8', () => {
    expect(isPresenceData({ a: 'é'.repeat((1024 - '{"a":""}'.length) / 2) })).toBe(true)
    expect(isPresenceData({ a: 'é'.repeat((1026 - '{"a":""}'.length) / 2) })).toBe(false)
  })

  it('refuses a __proto__ key, also deep inside', () => {
    expect(isPresenceData(JSON.parse('{"__proto__":{"admin":true}}'))).toBe(false)
    expect(isPresenceData(JSON.parse('{"a":[{"__proto__":1}]}'))).toBe(false)
  })

  it.each([
    ['undefined inside', { a: undefined }],
    ['a function', { a: () => 1 }],
    ['a date', { a: new Date(0) }],
    ['a map', new Map()],
    ['NaN', { a: Number.NaN }],
    ['a BigInt', { a: 1n }],
    ['a symbol', { a: Symbol('a') }],
    [
      'an instance of a class',
      new (class Point {
        x = 1
      })(),
    ],
    ['too deep a nest', JSON.parse(`{"a":${'['.repeat(9)}${']'.repeat(9)}}`)],
  ])('refuses %s', (_what, data) => {
    expect(isPresenceData(data)).toBe(false)
  })

  it('accepts an object without a prototype', () => {
    expect(isPresenceData(Object.assign(Object.create(null) as object, { name: 'Ada' }))).toBe(true)
  })
})

describe('isText', () => {
  it('counts bytes and not characters', () => {
    expect(isText('🦊'.repeat(1024))).toBe(true)
    expect(isText(`${'🦊'.repeat(1024)}x`)).toBe(false)
  })
})
