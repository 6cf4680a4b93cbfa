// a node whose HTTP works and whose WebSocket does not (proxy without upgrade)
import { createServer } from 'node:http'
const s = createServer((q, r) => { r.setHeader('content-type', 'application/json'); r.end(JSON.stringify({ version: '\u001b[31mEVIL\u001b]0;pwned\u0007', peerId: '12D3KooWGzBXWNvHpLALvz3jhwdMF3jcztLFQp9N2yQQZ9pYqe4A', multiaddrs: [], time: Date.now() })) }).listen(18999, '127.0.0.1')
