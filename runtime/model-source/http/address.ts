import { BlockList, isIPv4 } from 'node:net';

/** Public: anybody. Private: the cluster, or the network around it. Local: this machine, its link, or nobody at all. */
export type Reach = 'Public' | 'Private' | 'Local';

export interface Place {
  readonly reach: Reach;
  /** For a sentence: `10.0.0.1 is …`. */
  readonly what: string;
}

/** The first row that holds an address tells its place; an address in no row is nobody's. */
const places: readonly { readonly place: Place; readonly subnets: BlockList }[] = [
  row('Local', "a cloud's metadata service", [
    '169.254.169.254/32',
    '169.254.170.2/32',
    '169.254.170.23/32',
    '168.63.129.16/32',
    '100.100.100.200/32',
    '192.0.0.192/32',
    'fd00:ec2::/32',
  ]),
  row('Local', 'a loopback address', ['127.0.0.0/8', '::1/128']),
  row('Local', 'a link-local address', ['169.254.0.0/16', 'fe80::/10']),
  row('Local', 'an unspecified address', ['0.0.0.0/8', '::/128']),
  row('Local', 'a multicast address', ['224.0.0.0/4', 'ff00::/8']),
  row('Private', 'a private address', ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7']),
  row('Private', 'a shared address behind carrier-grade NAT', ['100.64.0.0/10']),
  row('Local', 'a reserved address', [
    '192.0.0.0/24',
    '192.0.2.0/24',
    '192.88.99.0/24',
    '198.18.0.0/15',
    '198.51.100.0/24',
    '203.0.113.0/24',
    '240.0.0.0/4',
    '2001::/23',
    '2001:db8::/32',
    '2002::/16',
    '3fff::/20',
  ]),
  row('Public', 'a public address', ['0.0.0.0/0', '2000::/3']),
];
const nobody: Place = { reach: 'Local', what: 'a reserved address' };

/** Addresses that another one is wrapped in: IPv4-mapped, and NAT64's well-known prefix. */
const wrappers = subnetList(['::ffff:0:0/96', '64:ff9b::/96']);

function row(reach: Reach, what: string, subnets: readonly string[]): (typeof places)[number] {
  return { place: { reach, what }, subnets: subnetList(subnets) };
}

/** Throws a RangeError or TypeError at what is no subnet. */
export function subnetList(subnets: readonly string[]): BlockList {
  const list = new BlockList();
  for (const subnet of subnets) {
    const [address = '', prefix = ''] = subnet.split('/');
    list.addSubnet(address, Number(prefix), familyOf(address));
  }
  return list;
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIPv4(address) ? 'ipv4' : 'ipv6';
}

export function isWithin(subnets: BlockList, address: string): boolean {
  const plain = unwrap(address);
  return subnets.check(plain, familyOf(plain));
}

/** `address` is one of four or six bytes, as the resolver returns them or a URL spells them. */
export function placeOf(address: string): Place {
  return places.find(({ subnets }) => isWithin(subnets, address))?.place ?? nobody;
}

/** The address that packets end at. */
function unwrap(address: string): string {
  const withoutZone = address.replace(/%.*$/u, '');
  if (isIPv4(withoutZone) || !wrappers.check(withoutZone, 'ipv6')) return withoutZone;
  // A URL spells every IPv6 address in groups of hexadecimal digits; the last two are the wrapped one.
  const groups = new URL(`http://[${withoutZone}]`).hostname.slice(1, -1).split('::').at(-1) ?? '';
  const bytes = Buffer.alloc(4);
  const [high = 0, low = 0] = [0, 0, ...groups.split(':').map((group) => parseInt(group || '0', 16))].slice(
    -2,
  );
  bytes.writeUInt16BE(high, 0);
  bytes.writeUInt16BE(low, 2);
  return bytes.join('.');
}
