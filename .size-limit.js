/** What is loaded later, and only where it is used: direct connections after joining, routing where it is asked for. */
const LATER = ['#webrtc', '@helia/delegated-routing-v1-http-api-client']

const browser = (external) => (config) => ({
  ...config,
  external: [...(config.external ?? []), ...external],
  format: 'esm',
  platform: 'browser',
  // What a dapp has: package.json says what `#runtime` is, not this repository's tsconfig.json.
  tsconfigRaw: {},
})

export default [
  {
    name: 'ghostchat in a browser: what a page loads to join a room',
    path: 'dist/index.js',
    import: '*',
    limit: '206 KB',
    gzip: true,
    modifyEsbuildConfig: browser(LATER),
  },
  {
    name: 'ghostchat in a browser: everything, with WebRTC and delegated routing',
    path: 'dist/index.js',
    import: '*',
    limit: '235 KB',
    gzip: true,
    modifyEsbuildConfig: browser([]),
  },
]
