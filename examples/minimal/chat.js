import { openSpace } from 'ghostchat'

const space = await openSpace('my-dapp', { nodes: ['http://localhost:8787'], identity: 'ephemeral' })
const chat = await space.joinChat('lobby', { presence: { name: 'Ada' } })

chat.on('user-joined', (did) => console.log(`${did} joined`))
chat.on('user-left', (did) => console.log(`${did} left`))
chat.on('message', (did, message) => console.log(`new message from ${did}: ${message}`))

for (const message of await chat.requestBacklog()) console.log(`said before: ${message}`)

const message = await chat.send('hello world')
await chat.reply(message, 'this is my reply')
console.log('online:', chat.onlineUsers())
