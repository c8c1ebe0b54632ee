import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { KubernetesObject } from '../../../operator/api/object.ts';
import { collectionPath, objectPath } from '../../../operator/controller/resource-type.ts';
import { resourceType } from '../../../operator/kube/kinds.ts';
import { freePort } from '../../bed/free-port.ts';
import type { Installation } from './installation.ts';
import { listen } from './stand-in-runtime.ts';

const GATEWAY_NAMESPACE = 'istio-system';
/** As a ModelDeployment names it. */
export const GATEWAY = `${GATEWAY_NAMESPACE}/public`;

export interface VirtualService extends KubernetesObject {
  readonly spec: {
    readonly hosts: readonly string[];
    readonly gateways: readonly string[];
    readonly http: readonly {
      readonly match?: readonly { readonly uri?: { readonly exact?: string } }[];
      readonly directResponse?: { readonly body: { readonly string: string } };
    }[];
  };
}

/**
 * A Gateway, and a pod of it that answers probes from the VirtualServices as the API server has them at that moment:
 * a proxy that learns at once. The whole stack asks real ones.
 */
export class StandInGateway {
  private readonly installation: Installation;
  private readonly read: () => Promise<readonly VirtualService[]>;
  private readonly server: Server;

  private constructor(installation: Installation, read: () => Promise<readonly VirtualService[]>) {
    this.installation = installation;
    this.read = read;
    this.server = createServer((request, response) => {
      void this.answer(request.headers.host ?? '', request.url ?? '').then((hash) => {
        response.statusCode = hash === undefined ? 404 : 200;
        response.end(hash);
      });
    });
  }

  /** It asks the API server at every probe, or knows its VirtualServices from elsewhere. */
  static async start(
    installation: Installation,
    read = async (): Promise<readonly VirtualService[]> => await listAll(installation),
  ): Promise<StandInGateway> {
    const gateway = new StandInGateway(installation, read);
    const port = await freePort();
    await gateway.create(await listen(gateway.server, port), port);
    return gateway;
  }

  async stop(): Promise<void> {
    this.server.close();
    this.server.closeAllConnections();
    await once(this.server, 'close');
  }

  private async create(podIP: string, port: number): Promise<void> {
    const { transport, server } = this.installation;
    const selector = { istio: 'public' };
    const metadata = { namespace: GATEWAY_NAMESPACE };
    await server.kubectl('create', 'namespace', GATEWAY_NAMESPACE);
    await server.kubectl.apply([
      {
        ...{
          apiVersion: 'networking.istio.io/v1',
          kind: 'Gateway',
          metadata: { ...metadata, name: 'public' },
        },
        spec: {
          selector,
          servers: [{ hosts: ['*'], port: { name: 'http', number: port, protocol: 'HTTP' } }],
        },
      },
      {
        ...{ apiVersion: 'v1', kind: 'Pod', metadata: { ...metadata, name: 'public-0', labels: selector } },
        spec: { containers: [{ name: 'proxy', image: 'none' }] },
      },
    ]);
    await transport.request({
      method: 'PATCH',
      path: `${objectPath(resourceType('Pod'), GATEWAY_NAMESPACE, 'public-0')}/status`,
      contentType: 'application/merge-patch+json',
      body: { status: { phase: 'Running', podIP, podIPs: [{ ip: podIP }] } },
    });
  }

  private async answer(host: string, path: string): Promise<string | undefined> {
    return (await this.read())
      .filter(
        ({ spec }) => spec.gateways.includes(GATEWAY) && spec.hosts.some((pattern) => isFor(pattern, host)),
      )
      .flatMap(({ spec }) => spec.http)
      .find(({ match }) => match?.some(({ uri }) => uri?.exact === path))?.directResponse?.body.string;
  }
}

async function listAll({ transport }: Installation): Promise<readonly VirtualService[]> {
  const list = await transport
    .request({ method: 'GET', path: collectionPath(resourceType('VirtualService')) })
    .catch(() => ({ items: [] }));
  return (list as { readonly items: readonly VirtualService[] }).items;
}

function isFor(pattern: string, host: string): boolean {
  return pattern.startsWith('*.') ? host.endsWith(pattern.slice(1)) : pattern === host;
}
