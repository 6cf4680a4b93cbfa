/** ELF64, little-endian: what of its structures is read here (System V ABI; LSB Core, "Symbol Versioning"). */
const SECTION = { dynsym: 11, verneed: 0x6fff_fffe, versym: 0x6fff_ffff } as const
const SECTION_BYTES = 64
const SYMBOL_BYTES = 24
const WEAK = 0x2
/** The version index of a symbol that may be of any version. */
const ANY_VERSION = 1

/** Since C23 came, glibc's headers call `strtol` by another name; what numbers it reads in base 10 is the same. */
const RENAMED = '__isoc23_'

/** What Debian 12 lacks (glibc 2.36, GCC 12). The C++ one stands for a function that is named and never called. */
const LACKING = ['GLIBC_2.38', 'GLIBCXX_3.4.32']

/**
 * A copy of a shared library that older systems load as well: functions that were
 * renamed have their former names, and the versions that came with the new ones
 * are asked for weakly, so that the loader goes on without them.
 *
 * @throws Error where the file is no 64-bit little-endian ELF
 */
export function forOldGlibc(library: Uint8Array): Uint8Array {
  const bytes = Buffer.from(library)
  if (bytes.readUInt32BE(0) !== 0x7f45_4c46 || bytes[4] !== 2 || bytes[5] !== 1) throw new Error('no ELF')
  const sections = sectionsOf(bytes)
  const symbols = find(sections, SECTION.dynsym)
  const versions = find(sections, SECTION.versym)
  const strings = sections[symbols.link]?.offset ?? 0
  for (let index = 0; index * SYMBOL_BYTES < symbols.size; index += 1) {
    const at = symbols.offset + index * SYMBOL_BYTES
    const name = bytes.readUInt32LE(at)
    if (!textAt(bytes, strings + name).startsWith(RENAMED)) continue
    // The former name is the end of the new one.
    bytes.writeUInt32LE(name + RENAMED.length, at)
    bytes.writeUInt16LE(ANY_VERSION, versions.offset + 2 * index)
  }
  for (const at of neededVersions(bytes, find(sections, SECTION.verneed))) {
    const name = textAt(bytes, strings + bytes.readUInt32LE(at + 8))
    if (LACKING.includes(name)) bytes.writeUInt16LE(bytes.readUInt16LE(at + 4) | WEAK, at + 4)
  }
  return bytes
}

interface Section {
  type: number
  offset: number
  size: number
  /** The section with the texts of this one. */
  link: number
}

function sectionsOf(bytes: Buffer): Section[] {
  const start = Number(bytes.readBigUInt64LE(0x28))
  return Array.from({ length: bytes.readUInt16LE(0x3c) }, (_, index) => {
    const at = start + index * SECTION_BYTES
    const long = (field: number): number => Number(bytes.readBigUInt64LE(at + field))
    return {
      type: bytes.readUInt32LE(at + 4),
      offset: long(24),
      size: long(32),
      link: bytes.readUInt32LE(at + 40),
    }
  })
}

function find(sections: readonly Section[], type: number): Section {
  const section = sections.find((section) => section.type === type)
  if (section === undefined) throw new Error(`the library has no section of type ${type}`)
  return section
}

/** Where each version that is needed lies: lists of them, one for each library, each entry with the way to the next. */
function* neededVersions(bytes: Buffer, { offset }: Section): Generator<number> {
  for (let file = offset, step = -1; step !== 0; file += step) {
    step = bytes.readUInt32LE(file + 12)
    for (let at = file + bytes.readUInt32LE(file + 8), next = -1; next !== 0; at += next) {
      next = bytes.readUInt32LE(at + 12)
      yield at
    }
  }
}

function textAt(bytes: Buffer, at: number): string {
  return bytes.toString('latin1', at, bytes.indexOf(0, at))
}
