import type { GhostChat, GhostChatEvents, Message } from '../../src/index.ts'

type Args<E extends keyof GhostChatEvents> = Parameters<GhostChatEvents[E]>

/** Resolves with what a listener of `event` gets when it first satisfies `accept`. */
export function eventOf<E extends keyof GhostChatEvents>(
  chat: GhostChat,
  event: E,
  accept: (...args: Args<E>) => boolean = () => true,
): Promise<Args<E>> {
  return new Promise((resolve) => {
    const listener = ((...args: Args<E>) => {
      if (!accept(...args)) return
      chat.off(event, listener as never)
      resolve(args)
    }) as GhostChatEvents[E]
    chat.on(event, listener as never)
  })
}

/** Resolves when the chat is connected; at once where it is. */
export async function connected(chat: GhostChat): Promise<void> {
  if (chat.status.current !== 'connected')
    await eventOf(chat, 'status', ({ current }) => current === 'connected')
}

/** Resolves when the chat lists exactly these DIDs, in any order. */
export async function online(chat: GhostChat, dids: readonly string[]): Promise<void> {
  const expected = [...dids].sort().join()
  const isSo = (): boolean => chat.onlineUsers().sort().join() === expected
  while (!isSo()) {
    await Promise.race([eventOf(chat, 'user-joined'), eventOf(chat, 'user-left')])
  }
}

/** Resolves with the message of this text when it comes, live or as backlog. */
export function arrival(chat: GhostChat, text: string): Promise<Message> {
  return new Promise((resolve) => {
    const look = (message: Message): void => {
      if (message.text === text) resolve(message)
    }
    chat.on('message', (_did, message) => look(message))
    chat.on('backlog', (messages) => messages.forEach(look))
  })
}
