import { existsSync } from 'node:fs'
import type { LaunchOptions } from '@playwright/test'

const debianChromium = '/usr/bin/chromium'
const debianFirefox = '/usr/bin/firefox-esr'

/** How to launch Chromium: Debian's where it is installed, else Playwright's own; without calls home. */
export const chromiumLaunch: LaunchOptions = {
  ...(existsSync(debianChromium) && { executablePath: debianChromium }),
  args: [
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
    '--no-first-run',
    // Chromium's sandbox refuses to run as root, as in most containers.
    ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
  ],
}

/** How to launch Firefox: Debian's ESR (over WebDriver BiDi) where it is installed, else Playwright's own. */
export const firefoxLaunch: LaunchOptions = existsSync(debianFirefox)
  ? { channel: 'moz-firefox', executablePath: debianFirefox }
  : {}
