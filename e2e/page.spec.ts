import { expect, firefox, type Page } from '@playwright/test'
import { firefoxLaunch } from './support/browsers.ts'
import { didOf, row, say, test } from './support/stage.ts'

test('nothing is wider than a phone', async ({ stage, browser }) => {
  const ada = await stage.enter(browser, 'Ada Augusta King, Countess of Lov', {
    context: { viewport: { width: 320, height: 640 } },
  })
  await say(ada, `a long word: ${'x'.repeat(300)} and a link https://example.org/${'y'.repeat(200)}`)
  await expect(ada.getByTestId('message')).toHaveCount(1)
  const overflow = await ada.evaluate(() => document.documentElement.scrollWidth - innerWidth)
  expect(overflow).toBeLessThanOrEqual(0)
  await expect(ada.getByTestId('composer')).toBeInViewport()
  await expect(ada.getByTestId('send')).toBeInViewport()
})

test('by keyboard alone: enter, write, answer, change one’s mind', async ({ stage, browser }) => {
  const context = await browser.newContext()
  const ada = await context.newPage()
  await ada.goto(`${stage.url}/#lobby`)
  await expect.poll(() => focused(ada)).toBe('name-input')
  await ada.keyboard.type('Ada')
  await ada.keyboard.press('Enter')
  await expect.poll(() => focused(ada)).toBe('composer')
  await ada.keyboard.type('first')
  await ada.keyboard.press('Enter')
  await expect(row(ada, 'first')).toHaveCount(1)

  for (let steps = 0; steps < 10 && (await focused(ada)) !== 'reply-button'; steps += 1) {
    await ada.keyboard.press('Shift+Tab')
  }
  expect(await focused(ada)).toBe('reply-button')
  await ada.keyboard.press('Enter')
  await expect.poll(() => focused(ada)).toBe('composer')
  await ada.keyboard.press('Escape')
  await ada.keyboard.type('not an answer')
  await ada.keyboard.press('Shift+Enter')
  await ada.keyboard.type('second line')
  await ada.keyboard.press('Enter')
  const second = ada.getByTestId('message').nth(1)
  await expect(second.getByTestId('message-text')).toHaveText('not an answer\nsecond line')
  await expect(second.getByTestId('quote')).toHaveCount(0)
  await context.close()
})

/** The test id of what has the focus. (Headless Firefox never counts as active, so toBeFocused() fails there.) */
function focused(page: Page): Promise<string | null> {
  return page.evaluate(() => document.activeElement?.getAttribute('data-testid') ?? null)
}

test('light and dark, as the system says', async ({ stage, browser, browserName }) => {
  // Firefox ESR cannot be told the colour scheme over WebDriver BiDi: it gets a system that is dark.
  const darkBrowser =
    browserName === 'firefox'
      ? await firefox.launch({ ...firefoxLaunch, firefoxUserPrefs: { 'ui.systemUsesDarkTheme': 1 } })
      : browser
  const light = await stage.enter(browser, 'Ada', { context: { colorScheme: 'light' } })
  const dark = await stage.enter(darkBrowser, 'Bob', { context: { colorScheme: 'dark' } })
  expect(await brightness(light)).toBeGreaterThan(200)
  expect(await brightness(dark)).toBeLessThan(60)
  if (darkBrowser !== browser) await darkBrowser.close()
})

/** The mean of red, green and blue of the page's background, 0 to 255. */
function brightness(page: Page): Promise<number> {
  return page.evaluate(() => {
    const canvas = document.createElement('canvas').getContext('2d')
    if (canvas === null) throw new Error('no canvas')
    canvas.fillStyle = getComputedStyle(document.body).backgroundColor
    canvas.fillRect(0, 0, 1, 1)
    const [red = 0, green = 0, blue = 0] = canvas.getImageData(0, 0, 1, 1).data
    return (red + green + blue) / 3
  })
}

test('what somebody writes, or calls himself, is text and nothing else', async ({ stage, browser }) => {
  const mallory = await stage.enter(browser, '<img src=x onerror=alert(1)>')
  const ada = await stage.enter(browser, 'Ada')
  const texts = ['<script>alert(1)</script>', '<img src=x onerror=alert(1)>', '[a](javascript:alert(1))']
  for (const text of texts) await say(mallory, text)
  for (const text of texts) await expect(row(ada, text)).toHaveAttribute('data-did', await didOf(mallory))
  await expect(ada.getByTestId('member').filter({ hasText: '<img src=x onerror=alert(1)>' })).toHaveCount(1)
  const log = ada.getByRole('log')
  await expect(log.locator('script, img, a')).toHaveCount(0)
})

test('the content security policy holds: a script that gets into the page does not run', async ({
  stage,
  browser,
}) => {
  const context = await browser.newContext()
  const page = await context.newPage()
  await page.goto(stage.url)
  const blocked = await page.evaluate(async () => {
    const violated = new Promise<string>((resolve) => {
      document.addEventListener('securitypolicyviolation', ({ effectiveDirective }) =>
        resolve(effectiveDirective),
      )
    })
    const script = document.createElement('script')
    script.textContent = 'document.title = "taken over"'
    document.body.append(script)
    return { directive: await violated, title: document.title }
  })
  expect(blocked.directive).toMatch(/^script-src/)
  expect(blocked.title).not.toBe('taken over')
  await context.close()
})
