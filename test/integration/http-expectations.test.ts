import { once } from 'node:events'
import { connect } from 'node:net'
import { expect, test } from 'vitest'
import { atEnd, startNode } from '../support/resources.ts'

test.each(['', 'expect: nothing\r\n', 'expect: 100-continue\r\n'])(
  'a node hangs up on whoever asks without end and waits for no answer (%j)',
  async (header) => {
    const node = await startNode()
    const socket = connect(Number(new URL(node.url).port), '127.0.0.1')
    atEnd(() => socket.destroy())
    let text = ''
    socket.on('error', () => {})
    socket.on('data', (bytes) => {
      text += bytes.toString()
    })
    await once(socket, 'connect')
    // It ends with one that asks to be told when all were answered.
    const asking = `GET / HTTP/1.1\r\nhost: x\r\n${header}\r\n`
    socket.write(`${asking.repeat(2_000)}GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`)
    await new Promise((resolve) => socket.once('close', resolve))
    expect((text.match(/^HTTP\/1\.1 [24]/gm) ?? []).length).toBeLessThanOrEqual(8)
  },
)
