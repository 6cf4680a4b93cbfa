/** The value below which a share of all lies. */
export function quantile(values, share) {
  const sorted = [...values].sort((a, b) => a - b)
  if (sorted.length === 0) return Number.NaN
  const place = (sorted.length - 1) * share
  const below = Math.floor(place)
  const above = sorted[Math.min(below + 1, sorted.length - 1)]
  // Also where both are infinite.
  if (above === sorted[below]) return above
  return sorted[below] + (above - sorted[below]) * (place - below)
}

export function median(values) {
  return quantile(values, 0.5)
}

export function sum(values) {
  return values.reduce((total, value) => total + value, 0)
}

/** Rounded to so many digits after the point. */
export function round(value, digits = 0) {
  return Number(value.toFixed(digits))
}

/** Rows of equal keys as lines of text. */
export function table(rows) {
  const keys = Object.keys(rows[0] ?? {})
  const cells = [keys, ...rows.map((row) => keys.map((key) => String(row[key] ?? '')))]
  const widths = keys.map((_, column) => Math.max(...cells.map((line) => line[column].length)))
  return cells
    .map((line) =>
      line
        .map((cell, column) => cell.padEnd(widths[column]))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}
