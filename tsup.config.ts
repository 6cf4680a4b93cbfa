import { defineConfig } from 'tsup'

export default defineConfig({
  entry: {
    index: 'src/index.ts',
    'node/index': 'src/node/index.ts',
    'testing/index': 'src/testing/index.ts',
    'cli/main': 'src/cli/main.ts',
    'runtime/node': 'src/runtime/node.ts',
    'runtime/browser': 'src/runtime/browser.ts',
  },
  format: 'esm',
  target: 'es2022',
  // Neither: what differs between Node and browsers is in `#runtime`, which the consumer's own tool resolves.
  platform: 'neutral',
  splitting: true,
  sourcemap: true,
  clean: true,
  external: ['#runtime', /^node:/],
  dts: {
    entry: {
      index: 'src/index.ts',
      'node/index': 'src/node/index.ts',
      'testing/index': 'src/testing/index.ts',
    },
  },
})
