import { type Browser, expect } from '@playwright/test'
import { didOf, member, row, type Stage, say } from './stage.ts'

/** The whole story of 3IP-9, between a page in one browser and a page in the same or another. */
export async function tellStory(stage: Stage, adasBrowser: Browser, bobsBrowser: Browser): Promise<void> {
  const ada = await stage.enter(adasBrowser, 'Ada')
  const adasDid = await didOf(ada)
  await say(ada, 'is anybody here?')
  await expect(row(ada, 'is anybody here?')).toHaveAttribute('data-status', 'sent')

  // Bob comes: both lists show both, and he reads what was said before he came.
  const bob = await stage.enter(bobsBrowser, 'Bob')
  const bobsDid = await didOf(bob)
  expect(bobsDid).toMatch(/^did:key:z6Mk/)
  expect(bobsDid).not.toBe(adasDid)
  for (const page of [ada, bob]) {
    await expect(member(page, adasDid)).toContainText('Ada')
    await expect(member(page, bobsDid)).toContainText('Bob')
    await expect(page.getByTestId('online-count')).toContainText('2')
  }
  await expect(row(bob, 'is anybody here?')).toHaveAttribute('data-did', adasDid)

  // They talk, both ways.
  await bob.getByTestId('composer').pressSequentially('ye')
  await expect(ada.getByTestId('typing')).toContainText('Bob')
  await say(bob, 'yes, <b>here</b> I am')
  await expect(row(ada, 'yes, <b>here</b> I am')).toHaveAttribute('data-did', bobsDid)
  await expect(ada.getByTestId('typing')).not.toContainText('Bob')

  // Ada answers that very message.
  const original = row(ada, 'yes, <b>here</b> I am')
  await original.hover()
  await original.getByTestId('reply-button').click()
  await say(ada, 'good to see you')
  const answer = row(bob, 'good to see you')
  await expect(answer).toHaveAttribute('data-did', adasDid)
  await expect(answer.getByTestId('quote')).toContainText('yes, <b>here</b> I am')

  // Bob closes his tab, and is gone from Ada's list long before his lease ends.
  await bob.close({ runBeforeUnload: true })
  await expect(member(ada, bobsDid)).toHaveCount(0)
  await expect(member(ada, adasDid)).toHaveCount(1)
}
