import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vite'

export default defineConfig({
  base: './',
  resolve: {
    // A project of its own would `npm install ghostchat`; in this repository the page uses the package built beside it.
    alias: { ghostchat: fileURLToPath(new URL('../../dist/index.js', import.meta.url)) },
  },
  build: {
    target: 'es2022',
    // The page's Content-Security-Policy allows nothing inline.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // libp2p is what it is, and the page shows nothing without it.
    chunkSizeWarningLimit: 1_000,
  },
})
