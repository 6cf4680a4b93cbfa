import { defineConfig, type Options } from 'tsup'

const shared: Options = {
  format: 'esm',
  target: 'es2022',
  sourcemap: true,
}

/** The WebRTC transport, which is a development dependency and therefore bundled; see `src/runtime/webrtc-browser.ts`. */
const webrtc = (platform: 'browser' | 'node'): Options => ({
  ...shared,
  platform,
  entry: [`src/runtime/webrtc-${platform}.ts`],
  outDir: 'dist/runtime',
  splitting: false,
  treeshake: true,
  // Loaded where it is installed; without it a client in Node chats through its nodes.
  external: ['node-datachannel', 'node-datachannel/polyfill'],
  banner: { js: '/*! Contains @libp2p/webrtc, (c) Protocol Labs and contributors, Apache-2.0 OR MIT */' },
})

export default defineConfig([
  {
    ...shared,
    entry: {
      index: 'src/index.ts',
      'node/index': 'src/node/index.ts',
      'testing/index': 'src/testing/index.ts',
      'cli/main': 'src/cli/main.ts',
      'runtime/node': 'src/runtime/node.ts',
      'runtime/browser': 'src/runtime/browser.ts',
    },
    // Neither: what differs between Node and browsers is in `#runtime`, which the consumer's own tool resolves.
    platform: 'neutral',
    splitting: true,
    clean: ['**/*', '!runtime/webrtc-*'],
    external: ['#runtime', '#webrtc', /^node:/],
    dts: {
      // What is `@internal` is nothing for users.
      compilerOptions: { stripInternal: true },
      entry: {
        index: 'src/index.ts',
        'node/index': 'src/node/index.ts',
        'testing/index': 'src/testing/index.ts',
      },
    },
  },
  webrtc('browser'),
  webrtc('node'),
])
