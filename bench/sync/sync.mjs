/** What it costs two devices to find out what one of them missed, on the stream and on the TCP connection below it. */
import { measureSync } from '../../test/support/sync-cost.ts'

export const sync = {
  name: 'sync',
  question: 'What does it cost to find out what was missed?',
  method: `Two devices with a room of 30 members and 1,000 messages compare over libp2p. Bytes of both directions together; the figures do not
depend on the machine.`,
  measure: () => measureSync(),
  tables: (costs) => [
    {
      caption: 'Bytes',
      rows: costs.map(({ missing, by, events, eventBytes, streamBytes, overheadBytes, tcpBytes }) => ({
        missing: events === 0 ? missing : `${events} ${missing}`,
        by: events === 0 ? '' : by,
        'the events': eventBytes,
        'on the stream': streamBytes,
        'beyond the events': overheadBytes,
        'on the TCP connection': tcpBytes,
      })),
    },
  ],
}
