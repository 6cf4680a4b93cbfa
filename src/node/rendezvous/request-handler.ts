import { openPeerRecord, RECORD_MAX_BYTES } from '../../discovery/peer-record.ts'
import type {
  RecordForm,
  RegisterBody,
  RendezvousAnswer,
  RendezvousFault,
  RendezvousRequest,
} from '../../wire/rendezvous.ts'
import type { Asker } from './asker.ts'
import type { Federation } from './federation.ts'
import type { Registration, SignedRecord } from './registration.ts'
import type { DiscoverResult, Lookup, Registry } from './registry.ts'

/** An answer, if the request has one, and how many registrations were looked at for it. */
export interface Handled {
  answer: RendezvousAnswer | undefined
  looked: number
}

/** What the requests of the protocol mean to a registry. Never throws for anything a client can send. */
export class RequestHandler {
  readonly #registry: Registry
  readonly #federation: Pick<Federation, 'isNode' | 'refresh'> | undefined

  constructor(options: {
    registry: Registry
    /** What other nodes know. Default: there are none. */
    federation?: Pick<Federation, 'isNode' | 'refresh'>
  }) {
    this.#registry = options.registry
    this.#federation = options.federation
  }

  async handle(request: RendezvousRequest, asker: Asker): Promise<Handled> {
    switch (request.type) {
      case 'register':
        return { answer: await this.#register(request, asker), looked: 0 }
      case 'unregister':
        this.#registry.unregister(request.namespace ?? '', asker.peerId)
        return { answer: undefined, looked: 0 }
      case 'discover':
        return this.#discover(request, asker)
    }
  }

  async #register(request: RegisterBody, { peerId, ip }: Asker): Promise<RendezvousAnswer> {
    const { namespace = '', ttlSeconds, signedPeerRecord = new Uint8Array() } = request
    const record = await this.#open(signedPeerRecord, peerId)
    if ('status' in record) return record
    const result = this.#registry.register({ ...record, namespace, ttlSeconds, peerId, ip })
    return result.status === 'OK'
      ? { type: 'register-response', ...result }
      : refusedRegister(result.status, result.text)
  }

  /** The record that a peer may register with, or what is wrong with it. */
  async #open(
    envelope: Uint8Array,
    peerId: string,
  ): Promise<SignedRecord | ReturnType<typeof refusedRegister>> {
    const known = this.#registry.recordsOf(peerId)
    // Somebody in many rooms registers with the same record in each: it was verified.
    const same = known.find(({ signedPeerRecord }) => isEqual(signedPeerRecord, envelope))
    if (same !== undefined) return same
    const invalid = 'E_INVALID_SIGNED_PEER_RECORD'
    if (envelope.length > RECORD_MAX_BYTES) {
      return refusedRegister(invalid, `a signed peer record is ${RECORD_MAX_BYTES} bytes at the most`)
    }
    const record = await openPeerRecord(envelope)
    if (record === undefined) return refusedRegister(invalid, 'the signed peer record cannot be verified')
    if (record.peerId !== peerId) {
      return refusedRegister('E_NOT_AUTHORIZED', 'the signed peer record is of another peer')
    }
    // Others give up a whole answer over one record they cannot read: nobody may put such a one into a room.
    if (!record.isPlain) return refusedRegister(invalid, 'the signed peer record cannot be read by everybody')
    if (record.addresses.length === 0) return refusedRegister(invalid, 'the peer record has no addresses')
    const addresses = record.addresses.map((address) => address.toString())
    // A copy: the envelope may be a piece of a larger buffer, which it would keep.
    return { addresses, signedPeerRecord: envelope.slice(), sequence: record.sequence, form: record.form }
  }

  async #discover({ namespace, limit, cookie }: Lookup, asker: Asker): Promise<Handled> {
    const { peerId } = asker
    const localOnly = this.#federation?.isNode(peerId) ?? false
    if (!localOnly && namespace !== undefined) await this.#federation?.refresh(namespace, asker)
    const lookup = { namespace, limit, cookie, localOnly }
    const [form, other] = this.#formsFor(peerId, namespace ?? '')
    let found = this.#registry.discover({ ...lookup, form })
    if (found.status === 'E_INVALID_COOKIE' && other !== undefined) {
      found = this.#registry.discover({ ...lookup, form: other })
    }
    return { answer: this.#discovered(found), looked: found.status === 'OK' ? found.looked : 0 }
  }

  /** The form of record an asker reads: the one it writes. Of others it is not known; then what there is. */
  #formsFor(peerId: string, namespace: string): [RecordForm, RecordForm?] {
    const own = this.#registry.recordsOf(peerId).map(({ form }) => form)
    if (own[0] !== undefined) return [own[0]]
    const isOther = this.#registry.has(namespace, 'rfc0003') && !this.#registry.has(namespace, 'multicodec')
    return isOther ? ['rfc0003', 'multicodec'] : ['multicodec', 'rfc0003']
  }

  #discovered(found: DiscoverResult): RendezvousAnswer {
    const type = 'discover-response'
    if (found.status !== 'OK') {
      return { type, registrations: [], status: found.status, statusText: found.text }
    }
    const registrations = found.registrations.map((registration) => this.#told(registration))
    return { type, registrations, cookie: found.cookie, status: 'OK' }
  }

  #told(registration: Registration): RegisterBody {
    const { namespace, signedPeerRecord } = registration
    return { namespace, signedPeerRecord, ttlSeconds: this.#registry.secondsLeft(registration) }
  }
}

/** The answer to a request that is not carried out; UNREGISTER has none. */
export function refusal(
  request: RendezvousRequest,
  status: RendezvousFault,
  statusText: string,
): RendezvousAnswer | undefined {
  if (request.type === 'unregister') return undefined
  if (request.type === 'register') return refusedRegister(status, statusText)
  return { type: 'discover-response', registrations: [], status, statusText }
}

function refusedRegister(status: RendezvousFault, statusText: string) {
  return { type: 'register-response', status, statusText } as const
}

function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index])
}
