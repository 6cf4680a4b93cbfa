import { openSpace } from '../dist/index.js'
import { createGhostNode } from '../dist/node/index.js'
process.on('unhandledRejection', (e) => console.log('UNHANDLED', e)); process.on('uncaughtException', (e) => console.log('UNCAUGHT', e))
const seen = new Map(); const logger = { debug(m) { }, warn(...m) { const k = m.map(String).join(' '); seen.set(k, (seen.get(k) ?? 0) + 1) } }
const node = await createGhostNode({ host: '127.0.0.1', port: 0, logger })
const keep = await openSpace('x', { nodes: [node.url], identity: 'ephemeral', logger }); await keep.joinChat('r')
let worst = 0
for (let d = 0; d < 160; d += 1) { const s = await openSpace('x', { nodes: [node.url], identity: 'ephemeral', logger }); s.joinChat('r').catch(() => {}); if (d < 40) for (let i = 0; i < d * 2; i++) await null; else await new Promise((r) => setTimeout(r, (d - 40) * 2)); const t = Date.now(); await s.close(); worst = Math.max(worst, Date.now() - t) }
for (const d of [1200, 1800, 2400]) { const s = await openSpace('x', { nodes: [node.url], identity: 'ephemeral', logger }); await s.joinChat('r'); await new Promise((r) => setTimeout(r, d)); await s.close() }
await keep.close(); await node.stop(); console.log('worst close', worst, [...seen])
const t = Date.now(); process.on('exit', () => console.log('exit after', Date.now() - t)); setTimeout(() => { console.log('ALIVE', process.getActiveResourcesInfo()); process.exit(3) }, 25000).unref()
