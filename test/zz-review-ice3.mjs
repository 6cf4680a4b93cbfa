import { createGhostNode } from '../dist/node/index.js'
const node = await createGhostNode({ host: '127.0.0.1', port: 0, logger: { debug() {}, warn() {} }, iceServers: [['turn:x:1']], turnSecret: 's' })
console.log('accepted'); console.log(await fetch(node.url + '/.well-known/ghostchat.json').then((r) => r.status, (e) => e.message)); await node.stop()
