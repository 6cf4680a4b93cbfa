import { openSpace } from '../dist/index.js'
const logger = { debug() {}, warn() {} }
const s = await openSpace('x', { nodes: [process.argv[2]], identity: 'ephemeral', logger, direct: process.argv[3] !== 'nodirect' })
await s.joinChat('r'); await new Promise((r) => setTimeout(r, 300)); await s.close()
const t = Date.now(); setTimeout(() => console.log('after 1.5 s', process.getActiveResourcesInfo()), 1500).unref(); const i = setTimeout(() => {}, 1600); process.on('exit', () => console.log(process.argv[2], 'exit after', Date.now() - t))
