/** Writes `docs/benchmarks.md` and its plots from `bench/results`. */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { PARTS } from './parts.mjs'
import { svgOf } from './support/plot.mjs'

const results = new URL('results/', import.meta.url)
const docs = new URL('../docs/', import.meta.url)

const HEAD = `# Benchmarks

Written by \`npm run bench\`, which measures all of it in about two hours; \`npm run bench -- saturated\` measures one part. Every part
names the command, the day, the commit and the machine. Machines are noisy: whoever is compared runs in turn with the others in
one run, a figure is the median of several runs, and CPU time and ratios say more than times. What a peer does is one file in
\`bench/peers\`.
`

export function writeReport() {
  const plots = new URL('benchmarks/', docs)
  rmSync(plots, { recursive: true, force: true })
  mkdirSync(plots, { recursive: true })
  const sections = PARTS.flatMap((part) => {
    const file = new URL(`${part.name}.json`, results)
    return existsSync(file) ? [section(part, JSON.parse(readFileSync(file, 'utf8')), plots)] : []
  })
  writeFileSync(new URL('benchmarks.md', docs), [HEAD, ...sections].join('\n'))
}

function section(part, { measured, results: measuredResults }, folder) {
  const lines = [`## ${part.question}`, '', part.method, '']
  for (const plot of part.plots?.(measuredResults) ?? []) {
    writeFileSync(new URL(`${plot.name}.svg`, folder), svgOf(plot))
    lines.push(`![${plot.title}, ${plot.unit}](benchmarks/${plot.name}.svg)`, '')
  }
  for (const { caption, rows } of part.tables(measuredResults)) {
    if (caption !== undefined) lines.push(`${caption}:`, '')
    lines.push(...markdownTable(rows), '')
  }
  const { command, at, commit, node, cpu, memoryGb } = measured
  lines.push(
    `\`${command}\`, ${at.slice(0, 10)}, commit ${commit}, Node ${node.slice(1)}, ${cpu}, ${memoryGb} GB.`,
    '',
  )
  return lines.join('\n')
}

function markdownTable(rows) {
  const keys = Object.keys(rows[0] ?? {})
  // Two columns of one name differ by spaces.
  const cells = [
    keys.map((key) => key.trim()),
    ...rows.map((row) => keys.map((key) => String(row[key] ?? '').replaceAll('|', '\\|'))),
  ]
  const widths = keys.map((_, column) => Math.max(3, ...cells.map((line) => line[column].length)))
  const lines = cells.map(
    (line) => `| ${line.map((cell, column) => cell.padEnd(widths[column])).join(' | ')} |`,
  )
  lines.splice(1, 0, `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`)
  return lines
}
