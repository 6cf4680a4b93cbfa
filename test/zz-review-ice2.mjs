import { openSpace } from '../dist/index.js'
import { createGhostNode } from '../dist/node/index.js'
process.on('unhandledRejection', (e) => console.log('UNHANDLED', e))
const logger = { debug() {}, warn() {} }
const node = await createGhostNode({ host: '127.0.0.1', port: 0, logger, iceServers: [process.argv[2]] })
const open = () => openSpace('x', { nodes: [node.url], identity: 'ephemeral', logger })
const a = await open(), b = await open()
const ca = await a.joinChat('r'), cb = await b.joinChat('r')
await new Promise((r) => setTimeout(r, 15000))
console.log(process.argv[2], 'members', ca.members().length, 'direct', (await a.diagnose().catch((e) => ({ direct: e }))).direct)
await a.close(); await b.close(); await node.stop()
const t = Date.now(); process.on('exit', () => console.log('exit after', Date.now() - t)); setTimeout(() => { console.log('ALIVE', process.getActiveResourcesInfo()); process.exit(3) }, 20000).unref()
