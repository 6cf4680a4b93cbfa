import type { Namespace } from './namespace.ts'
import { type Nat, natRules, WAN } from './nat.ts'

/**
 * The world of the laboratory. What is public is in 203.0.113.0/24, a network
 * for documentation (RFC 5737), on one bridge that nothing else is connected to.
 *
 * ```
 *            internet, 203.0.113.0/24
 *   ┌──────────┬─────┴────┬────────┬────────┬────────┬────────┐
 * server .10  turn .20  office   home     phone    cafe     hotel
 *                       cone     cone     symmetric         no UDP
 *                       ├ office-1  └ home-1  └ phone-1 └ cafe-1 └ hotel-1
 *                       └ office-2
 * ```
 */
const SITES = {
  office: { nat: 'cone', address: '203.0.113.101', hosts: ['office-1', 'office-2'] },
  home: { nat: 'cone', address: '203.0.113.102', hosts: ['home-1'] },
  phone: { nat: 'symmetric', address: '203.0.113.103', hosts: ['phone-1'] },
  cafe: { nat: 'symmetric', address: '203.0.113.104', hosts: ['cafe-1'] },
  hotel: { nat: 'no-udp', address: '203.0.113.105', hosts: ['hotel-1'] },
} as const satisfies Record<string, { nat: Nat; address: string; hosts: readonly string[] }>

/** The public machines. */
export const SERVER = '203.0.113.10'
export const TURN = '203.0.113.20'
const PUBLIC = { server: SERVER, turn: TURN }

/** Names for the public machines, both for `server`. */
export const NODE_NAME = 'node.ghost.test'
export const APP_NAME = 'app.ghost.test'
/** What the name servers of the laboratory know: addresses by name. */
export const NAMES: Readonly<Record<string, string>> = { [NODE_NAME]: SERVER, [APP_NAME]: SERVER }

/** Where a browser can run: a machine behind the router it is named after. */
export type HostName = (typeof SITES)[keyof typeof SITES]['hosts'][number]
export type MachineName = HostName | keyof typeof PUBLIC

/** Makes the whole network. `create` makes an unconnected namespace. */
export async function buildNetwork(
  create: (name: string) => Promise<Namespace>,
): Promise<Map<MachineName, Namespace>> {
  const machines = new Map<MachineName, Namespace>()
  const internet = await create('internet')
  await addBridge(internet, 'bridge')
  const onInternet = async (name: string, address: string, device: string): Promise<Namespace> => {
    const machine = await create(name)
    await plug(machine, device, internet, name)
    await machine.ip(`address add ${address}/24 dev ${device}`)
    return machine
  }
  await Promise.all([
    ...Object.entries(PUBLIC).map(async ([name, address]) => {
      machines.set(name as keyof typeof PUBLIC, await onInternet(name, address, 'eth0'))
    }),
    ...Object.entries(SITES).map(async ([name, { nat, address, hosts }], site) => {
      const router = await onInternet(name, address, WAN)
      const lan = `10.${site + 1}.0`
      await addBridge(router, 'bridge', `${lan}.1/24`)
      await router.set({ 'ipv4/ip_forward': 1 })
      await router.nft(natRules(nat))
      for (const [index, host] of hosts.entries()) {
        const machine = await create(host)
        await plug(machine, 'eth0', router, host)
        await machine.ip(`address add ${lan}.${index + 11}/24 dev eth0`, `route add default via ${lan}.1`)
        machines.set(host, machine)
      }
    }),
  ])
  return machines
}

async function addBridge(namespace: Namespace, name: string, address?: string): Promise<void> {
  await namespace.ip(
    `link add name ${name} type bridge`,
    ...(address === undefined ? [] : [`address add ${address} dev ${name}`]),
    `link set ${name} up`,
  )
  // Where Docker loaded `br_netfilter`, bridges would pass their frames through the rules for routed packets.
  await namespace.set({ 'bridge/bridge-nf-call-iptables': 0 })
}

/** A cable from a device of a machine to the bridge of another. */
async function plug(machine: Namespace, device: string, hub: Namespace, port: string): Promise<void> {
  await hub.ip(
    `link add name ${port} type veth peer name ${device} netns ${machine.name}`,
    `link set ${port} master bridge up`,
  )
  await machine.ip(`link set ${device} up`)
}
