import { describe, expect, it } from 'vitest'
import { chooseMediaType } from '../../../../src/node/routing/accept.ts'

describe('the media type of an answer', () => {
  it.each([
    'application/x-ndjson',
    'application/x-ndjson, application/json;q=0.8',
    'application/json, application/x-ndjson',
    'application/json;q=0.5, application/x-ndjson;q=0.5',
    'Application/X-NDJSON;Q=0.1, text/html',
    '*/*;q=0.1, application/x-ndjson ; q=0.2',
    'application/json;q=0, application/x-ndjson;q=0.001',
  ])('is NDJSON for %s', (accept) => {
    expect(chooseMediaType(accept)).toBe('application/x-ndjson')
  })

  it.each([
    undefined,
    '',
    '*/*',
    'application/*',
    'application/json',
    'application/json, application/x-ndjson;q=0.9',
    'application/*, application/x-ndjson;q=0.9',
    '*/*, application/x-ndjson;q=0.9',
    'application/x-ndjson;q=0',
    'application/x-ndjson;q=0.0, text/html',
    'application/x-ndjson;q=high',
    'text/html',
    'application/x-ndjsonp',
    'image/png;x="application/x-ndjson"',
  ])('is JSON for %s', (accept) => {
    expect(chooseMediaType(accept)).toBe('application/json')
  })
})
