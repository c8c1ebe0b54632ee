import { existsSync } from 'node:fs';
import { addresses, names } from './layout.ts';
import { runInside, type Namespace } from './namespace.ts';
import { run } from './shell.ts';

/**
 * The node's network inside the bed, and one cable from the machine into it. The machine gets one link with one address
 * and two routes, which vanish with the bed's network namespace.
 */
export async function connect(namespace: Namespace): Promise<void> {
  const pid = String(namespace.firstPid);
  await run('ip', ['link', 'add', names.link, 'type', 'veth', 'peer', 'name', 'cable', 'netns', pid]);
  await runInside(namespace, ['sh', '-ec', insideNetwork()]);
  await run('sh', ['-ec', machineNetwork()]);
}

function insideNetwork(): string {
  return `
ip link add ${names.link} type bridge
ip addr add ${addresses.node}/24 dev ${names.link}
ip link set cable master ${names.link} up
ip link set ${names.link} up
ip link add ${names.podBridge} type bridge
ip addr add ${addresses.podGateway}/23 dev ${names.podBridge}
ip link set ${names.podBridge} up
echo 1 >/proc/sys/net/ipv4/ip_forward
echo 1024 65535 >/proc/sys/net/ipv4/ip_local_port_range
[ ! -e /proc/sys/net/bridge/bridge-nf-call-iptables ] || echo 1 >/proc/sys/net/bridge/bridge-nf-call-iptables
`;
}

function machineNetwork(): string {
  return `
ip addr add ${addresses.machine}/24 dev ${names.link}
ip link set ${names.link} up
ip route add ${addresses.podRange} via ${addresses.node} dev ${names.link}
ip route add ${addresses.serviceRange} via ${addresses.node} dev ${names.link}
`;
}

/** Without it an answer between two pods goes past the address translation of services. */
export function bridgesPassIptables(): boolean {
  return existsSync('/proc/sys/net/bridge/bridge-nf-call-iptables');
}
