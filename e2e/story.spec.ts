import { expect } from '@playwright/test'
// The built package, as a user gets it.
import { openSpace } from 'ghostchat'
import { didOf, member, row, say, test } from './support/stage.ts'
import { tellStory } from './support/story.ts'

test('the whole story in one engine: join, backlog, message, reply, typing, leave', async ({
  stage,
  browser,
}) => {
  await tellStory(stage, browser, browser)
})

test('a reload keeps the DID, and the backlog comes back from the others', async ({ stage, browser }) => {
  const ada = await stage.enter(browser, 'Ada')
  const bob = await stage.enter(browser, 'Bob')
  const bobsDid = await didOf(bob)
  await expect(member(ada, bobsDid)).toHaveCount(1)
  await say(bob, 'before the reload')
  await expect(row(ada, 'before the reload')).toHaveCount(1)

  await bob.reload()
  await expect(row(bob, 'before the reload')).toHaveCount(1)
  expect(await didOf(bob)).toBe(bobsDid)
  await expect(member(bob, bobsDid)).toContainText('Bob')
  await say(bob, 'after the reload')
  await expect(row(ada, 'after the reload')).toHaveAttribute('data-did', bobsDid)
})

test('the key cannot be read out of the page', async ({ stage, browser }) => {
  const ada = await stage.enter(browser, 'Ada')
  const key = await ada.evaluate(async () => {
    const database = await new Promise<IDBDatabase>((resolve, reject) => {
      const request = indexedDB.open('ghostchat')
      request.onsuccess = () => resolve(request.result)
      request.onerror = () => reject(request.error)
    })
    const stored = await new Promise<{ kind: string; privateKey: CryptoKey }>((resolve, reject) => {
      const request = database.transaction('keys').objectStore('keys').get('ghostchat-page')
      request.onsuccess = () => resolve(request.result)
      request.onerror = () => reject(request.error)
    })
    const exported = await crypto.subtle.exportKey('pkcs8', stored.privateKey).then(
      () => 'exported',
      (error: Error) => error.name,
    )
    return { kind: stored.kind, extractable: stored.privateKey.extractable, exported }
  })
  expect(key).toEqual({ kind: 'key', extractable: false, exported: 'InvalidAccessError' })
})

test('what its author edits or deletes changes on the page, quotes and a reply that was begun as well', async ({
  stage,
  browser,
}) => {
  const ada = await stage.enter(browser, 'Ada')
  // Somebody whose application can edit.
  const space = await openSpace('ghostchat-page', { nodes: [stage.node.url], identity: 'ephemeral' })
  const chat = await space.joinChat('lobby')
  const spoken = await chat.send('first thoght')
  await chat.reply(spoken, 'as I said')
  await expect(row(ada, 'as I said').getByTestId('quote')).toContainText('first thoght')

  await chat.edit(spoken, 'first thought')
  const edited = row(ada, 'first thought')
  await expect(edited).toContainText('edited')
  await expect(row(ada, 'first thoght')).toHaveCount(0)
  await expect(row(ada, 'as I said').getByTestId('quote')).toContainText('first thought')

  await edited.hover()
  await edited.getByTestId('reply-button').click()
  await expect(ada.getByTestId('answering')).toBeVisible()
  await chat.delete(spoken)
  await expect(edited).toHaveCount(0)
  await expect(ada.getByTestId('answering')).toBeHidden()
  await expect(row(ada, 'as I said').getByTestId('quote')).toHaveText('Original not available')
  await expect(ada.getByTestId('message')).toHaveCount(1)
  await space.close()
})

test('rooms of other names stay apart, and the hash leads from one to the other', async ({
  stage,
  browser,
}) => {
  const ada = await stage.enter(browser, 'Ada', { room: 'blue' })
  const bob = await stage.enter(browser, 'Bob', { room: 'green' })
  await say(ada, 'in blue')
  await say(bob, 'in green')
  await expect(row(bob, 'in green')).toHaveAttribute('data-status', 'sent')
  await expect(row(bob, 'in blue')).toHaveCount(0)

  await bob.evaluate(() => {
    location.hash = 'blue'
  })
  await expect(bob.getByTestId('room-name')).toContainText('blue')
  await expect(row(bob, 'in blue')).toHaveCount(1)
  await expect(row(bob, 'in green')).toHaveCount(0)
  await expect(member(ada, await didOf(bob))).toContainText('Bob')
})

test('without the node a message waits and says so; with it, it goes out', async ({ stage, browser }) => {
  const ada = await stage.enter(browser, 'Ada')
  await stage.node.stop()
  await expect(ada.getByTestId('status')).toHaveAttribute('data-state', 'reconnecting')
  await say(ada, 'are you still there?')
  await expect(row(ada, 'are you still there?')).toHaveAttribute('data-status', 'queued')
  await stage.restartNode()
  await expect(row(ada, 'are you still there?')).toHaveAttribute('data-status', 'sent', { timeout: 20_000 })
  await expect(ada.getByTestId('status')).toHaveAttribute('data-state', 'connected')
  const bob = await stage.enter(browser, 'Bob')
  await expect(row(bob, 'are you still there?')).toHaveCount(1)
})
