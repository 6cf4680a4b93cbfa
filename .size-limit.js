export default [
  {
    name: 'ghostchat in a browser, with everything it imports',
    path: 'dist/index.js',
    import: '*',
    limit: '190 KB',
    gzip: true,
    modifyEsbuildConfig: (config) => ({
      ...config,
      format: 'esm',
      platform: 'browser',
      // What a dapp has: package.json says what `#runtime` is, not this repository's tsconfig.json.
      tsconfigRaw: {},
    }),
  },
]
