/** What is read of one server of an Istio Gateway. */
export interface GatewayServer {
  readonly port: { readonly number: number; readonly protocol: string };
  readonly hosts?: readonly string[];
  readonly tls?: { readonly mode?: string; readonly httpsRedirect?: boolean };
}

export interface ServerChoice {
  /** As the Gateway names it, which is the port of a Service. */
  readonly port: number;
  readonly tls: boolean;
}

const plainProtocols = new Set(['HTTP', 'HTTP2', 'GRPC', 'GRPC-WEB']);
/** Modes in which a proxy asks its client for no certificate. */
const openTlsModes = new Set(['SIMPLE', 'OPTIONAL_MUTUAL']);

/** The server through which a probe for the host can be sent; plain HTTP where there is the choice. */
export function chooseServer(
  servers: readonly GatewayServer[],
  host: string,
): ServerChoice | { readonly problem: string } {
  const matching = servers.filter(({ hosts }) => (hosts ?? []).some((pattern) => covers(pattern, host)));
  if (matching.length === 0) return { problem: `none of its servers has the host ${host}` };
  const plain = matching.find(isPlain);
  if (plain !== undefined) return { port: plain.port.number, tls: false };
  const secured = matching.find(isOpenTls);
  if (secured !== undefined) return { port: secured.port.number, tls: true };
  return { problem: `it serves ${host} only with client certificates, redirects or pass-through` };
}

function isPlain({ port, tls }: GatewayServer): boolean {
  return plainProtocols.has(port.protocol.toUpperCase()) && tls?.httpsRedirect !== true;
}

function isOpenTls({ port, tls }: GatewayServer): boolean {
  return port.protocol.toUpperCase() === 'HTTPS' && openTlsModes.has(tls?.mode ?? 'SIMPLE');
}

/** Hosts of a Gateway may begin with a namespace and a slash, and with a wildcard. */
function covers(pattern: string, host: string): boolean {
  const name = pattern.slice(pattern.indexOf('/') + 1);
  return name === '*' || name === host || (name.startsWith('*.') && host.endsWith(name.slice(1)));
}
