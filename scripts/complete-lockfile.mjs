/**
 * `npm run lockfile`, after `npm install` changed a dependency: adds the optional packages of other platforms that the
 * registry in use did not serve.
 *
 * npm leaves them out of the lockfile and then `npm ci` refuses its own file: "Missing: … from lock file"
 * (https://github.com/npm/cli/issues/9846). Their versions are exact in the package that wants them, and their names say
 * their platform. `npm ci` never fetches what is for another platform.
 */
import { readFileSync, writeFileSync } from 'node:fs'

const path = new URL('../package-lock.json', import.meta.url)
const lockfile = JSON.parse(readFileSync(path, 'utf8'))
const { packages } = lockfile

const systems = [
  'aix',
  'android',
  'darwin',
  'freebsd',
  'linux',
  'netbsd',
  'openbsd',
  'openharmony',
  'sunos',
  'win32',
]
const processors = [
  'arm',
  'arm64',
  'ia32',
  'loong64',
  'mips64el',
  'ppc64',
  'riscv64',
  's390x',
  'wasm32',
  'x64',
]

let added = 0
for (const [parent, { dev, optionalDependencies = {} }] of Object.entries(packages)) {
  for (const [name, version] of Object.entries(optionalDependencies)) {
    const place = `node_modules/${name}`
    if (place in packages || `${parent}/${place}` in packages) continue
    const words = name.split(/[-/]/)
    const os = systems.filter((system) => words.includes(system))
    const cpu = processors.filter((processor) => words.includes(processor))
    if (!/^\d/.test(version) || os.length !== 1 || cpu.length !== 1) {
      console.log(`left out: ${name}@${version}, whose platform is not in its name`)
      continue
    }
    const libc = words.some((word) => word.startsWith('musl'))
      ? ['musl']
      : words.some((word) => word.startsWith('gnu'))
        ? ['glibc']
        : undefined
    packages[place] = {
      version,
      cpu,
      ...(dev && { dev }),
      ...(os[0] === 'linux' && libc && { libc }),
      optional: true,
      os,
    }
    added += 1
  }
}

if (added > 0) {
  const sorted = Object.entries(packages).sort(([a], [b]) => a.localeCompare(b, 'en'))
  lockfile.packages = Object.fromEntries(sorted)
  writeFileSync(path, `${JSON.stringify(lockfile, null, 2)}\n`)
}
console.log(`${added} added`)
