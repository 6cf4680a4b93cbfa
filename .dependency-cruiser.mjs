/**
 * The layers of ARCHITECTURE.md as rules: what each part of `src` may import. What is not allowed here is an error,
 * types included, because a type is knowledge too.
 *
 * @type {import('dependency-cruiser').IConfiguration}
 */

const leaves =
  '^src/(abort|check|crypto-work|errors|limits|events|clock|logger|once|random|thenable|turn|version)\\.ts$'
const networkPort = '^src/network/network\\.ts$'
const folder = (...names) => `^src/(${names.join('|')})/`

/** Inside `src`, the files of `from` may import only themselves and `to`. */
const layer = (name, from, to, comment) => ({
  name,
  comment,
  severity: 'error',
  from: { path: from },
  to: { path: '^src/', pathNot: [from, leaves, ...to] },
})

export default {
  forbidden: [
    layer('leaves', leaves, [], 'The leaves know nothing of what is built upon them.'),
    layer('wire', folder('wire'), [], 'What travels is described without knowing who sends it.'),
    layer('identity', folder('identity'), [folder('wire')], 'Identity: leaves and wire.'),
    layer('gate', folder('gate'), [folder('wire', 'identity')], 'The gate: leaves, wire and identity.'),
    layer(
      'room',
      folder('room'),
      [folder('wire', 'identity', 'gate'), networkPort],
      'A room reaches the network through its port only, so that it runs in a simulator.',
    ),
    layer(
      'network',
      folder('network'),
      [folder('wire', 'discovery'), '^src/gate/rate-limit\\.ts$'],
      'The network carries events and reads none, though it may count them.',
    ),
    layer(
      'discovery',
      folder('discovery'),
      [folder('wire'), networkPort],
      'Discovery: leaves, wire, the port.',
    ),
    layer(
      'node',
      folder('node'),
      [folder('wire', 'identity', 'gate', 'network', 'discovery'), '^src/runtime/node-secret-file\\.ts$'],
      'A node forwards what it can check; it has no room, no space and no user interface.',
    ),
    layer(
      'runtime',
      folder('runtime'),
      [folder('identity', 'network')],
      'Runtime: leaves, identity, network.',
    ),
    layer(
      'react',
      folder('react'),
      ['^src/index\\.ts$', '^src/node/index\\.ts$'],
      'Hooks use what every user of the package can use.',
    ),
    layer(
      'cli',
      folder('cli'),
      ['^src/index\\.ts$', '^src/node/index\\.ts$'],
      'The command line uses what every user of the package can use.',
    ),
    layer('testing', folder('testing'), [folder('wire'), networkPort], 'Testing: leaves, wire, the port.'),

    {
      name: 'nothing-builds-on-the-outside',
      comment: 'Space and chat run in every browser; node, cli, react and testing are entries of their own.',
      severity: 'error',
      from: { path: '^src/[^/]+$' },
      to: { path: folder('node', 'cli', 'react', 'testing') },
    },
    {
      name: 'wire-is-pure',
      comment: 'The codec runs anywhere: no IO, no network.',
      severity: 'error',
      from: { path: folder('wire') },
      to: { path: ['^node:', 'node_modules/(@?libp2p|@multiformats)/'] },
    },
    {
      name: 'wire-is-pure-of-node',
      severity: 'error',
      from: { path: folder('wire') },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'libp2p-has-its-places',
      comment: 'Only the network, discovery, node and runtime know libp2p; space.ts may name its types.',
      severity: 'error',
      from: {
        path: '^src/',
        pathNot: [folder('network', 'discovery', 'node', 'runtime'), '^src/space\\.ts$'],
      },
      to: { path: 'node_modules/(@libp2p/|libp2p/|@multiformats/multiaddr)' },
    },
    {
      name: 'space-names-libp2p-types-only',
      severity: 'error',
      from: { path: '^src/space\\.ts$' },
      to: {
        path: 'node_modules/(@libp2p/|libp2p/|@multiformats/multiaddr)',
        dependencyTypesNot: ['type-only'],
      },
    },
    {
      name: 'node-builtins-have-their-places',
      comment: 'Everything else also runs in a browser.',
      severity: 'error',
      from: { path: '^src/', pathNot: [folder('node', 'cli'), '^src/runtime/node[^/]*(/|$)'] },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'no-cycles',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'nothing-unresolved',
      comment: 'What is compared with is installed when it is measured.',
      severity: 'error',
      from: { pathNot: '^bench/(peers/|browser/pages/|support/plot)' },
      to: { couldNotResolve: true },
    },
    {
      name: 'src-stands-alone',
      comment: 'The package does not know its tests, examples and scripts.',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^(test|e2e|bench|examples|scripts|dist)/' },
    },
    {
      name: 'dependencies-are-declared',
      comment: 'What src imports at run time is installed with the package, or built into it (WebRTC).',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/runtime/webrtc-' },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'], dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'examples-use-public-entries',
      comment: 'An example shows what a user of the package can write.',
      severity: 'error',
      from: { path: '^examples/([^/]+)/', pathNot: '/vite\\.config\\.ts$' },
      to: {
        pathNot: [
          '^examples/$1/',
          '^src/(index|node/index|testing/index)\\.ts$',
          'node_modules/(react|react-dom|@types/react|@types/react-dom)/',
        ],
      },
    },
    {
      name: 'examples-use-the-package-name',
      comment: "An example imports 'ghostchat', not a path into this repository.",
      severity: 'error',
      from: { path: '^examples/' },
      to: { path: '^src/', dependencyTypesNot: ['aliased'] },
    },
  ],
  options: {
    doNotFollow: { path: '(^|/)(node_modules|dist)/' },
    exclude: { path: ['^examples/[^/]+/dist/', '^bench/node_modules/'] },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    detectJSDocImports: false,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'types', 'node', 'default'],
    },
  },
}
