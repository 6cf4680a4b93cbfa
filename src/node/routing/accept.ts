/** What a list of results is sent as. */
export type MediaType = 'application/json' | 'application/x-ndjson'

/**
 * Chooses by an Accept header: NDJSON where it is named and wanted at least as
 * much as JSON, else JSON, whatever else the header says ("MUST default to
 * regular, non-streaming, JSON").
 */
export function chooseMediaType(accept: string | undefined): MediaType {
  const ranges = (accept ?? '').split(',').map(parseRange)
  const wanted = (name: string): number | undefined => ranges.find((range) => range.name === name)?.quality
  const ndjson = wanted('application/x-ndjson') ?? 0
  // The most specific range counts (RFC 9110 §12.5.1).
  const json = wanted('application/json') ?? wanted('application/*') ?? wanted('*/*') ?? 0
  return ndjson > 0 && ndjson >= json ? 'application/x-ndjson' : 'application/json'
}

function parseRange(text: string): { name: string; quality: number } {
  const [name = '', ...parameters] = text.split(';').map((part) => part.trim().toLowerCase())
  const weight = parameters.find((parameter) => /^q\s*=/.test(parameter))?.replace(/^q\s*=\s*/, '')
  const quality = weight === undefined ? 1 : /^(?:0(?:\.\d*)?|1(?:\.0*)?)$/.test(weight) ? Number(weight) : 0
  return { name, quality }
}
