import { chromium, firefox } from '@playwright/test'
import { chromiumLaunch, firefoxLaunch } from './support/browsers.ts'
import { test } from './support/stage.ts'
import { tellStory } from './support/story.ts'

test('Chromium and Firefox in one room, Firefox coming', async ({ stage }) => {
  const browsers = [await chromium.launch(chromiumLaunch), await firefox.launch(firefoxLaunch)] as const
  await tellStory(stage, browsers[0], browsers[1])
  await Promise.all(browsers.map((browser) => browser.close()))
})

test('Chromium and Firefox in one room, Chromium coming', async ({ stage }) => {
  const browsers = [await chromium.launch(chromiumLaunch), await firefox.launch(firefoxLaunch)] as const
  await tellStory(stage, browsers[1], browsers[0])
  await Promise.all(browsers.map((browser) => browser.close()))
})
