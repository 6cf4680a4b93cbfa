/**
 * What a router does to what passes it.
 *
 * - `cone`: one outside port for one inside port, whatever the destination; lets
 *   in only who was written to. The NAT of homes and offices: two of them can be
 *   crossed by those who learn their outside address from a STUN server.
 * - `symmetric`: another outside port for every destination, by chance, as
 *   mobile networks do: what a STUN server sees is of no use to anybody else.
 * - `no-udp`: a `cone` that lets no UDP through.
 */
export type Nat = 'cone' | 'symmetric' | 'no-udp'

/** The interface to the internet, on every router. */
export const WAN = 'wan'

/**
 * The nftables rules of a router.
 *
 * Its `input` chain drops what nobody asked for: else the kernel would track an
 * early datagram from outside as a connection to the router itself, give the
 * answer from inside another port, and a cone would behave like a symmetric one.
 */
export function natRules(nat: Nat): string {
  return `
table ip nat {
  chain postrouting {
    type nat hook postrouting priority srcnat; policy accept;
    oifname "${WAN}" masquerade${nat === 'symmetric' ? ' fully-random' : ''}
  }
}
table ip filter {
  chain input {
    type filter hook input priority filter; policy accept;
    iifname "${WAN}" ct state new,invalid drop
  }
  chain forward {
    type filter hook forward priority filter; policy accept;
    ${nat === 'no-udp' ? 'meta l4proto udp drop' : ''}
    iifname "${WAN}" ct state new,invalid drop
  }
}
`
}
