import { Agent as HttpAgent, type RequestOptions } from 'node:http';
import { Agent as HttpsAgent, type RequestOptions as HttpsRequestOptions } from 'node:https';
import { KubeConfig } from '@kubernetes/client-node';
import { ConfigurationError } from './errors.ts';

/** Where the API server is and how to prove who we are. */
export interface Connection {
  readonly baseUrl: URL;
  /** Agent, headers and basic credentials for the next request. */
  credentials(): Promise<RequestOptions>;
  /** The API server refused the credentials: the next request reads them anew. */
  renew(): void;
}

/** Tokens of service accounts change about every hour; client-node reads the file anew when asked. */
const CREDENTIALS_LIFE_MS = 30_000;
/** Below the 90 s after which the API server closes an idle connection: a request never meets a closing one. */
const IDLE_SOCKET_MS = 30_000;

/** From KUBECONFIG, ~/.kube/config or the pod's service account, in this order, as every Kubernetes client does. */
export function connectionFromDefault(): Connection {
  return new ConfiguredConnection((configuration) => configuration.loadFromDefault());
}

export function connectionFromFile(path: string): Connection {
  return new ConfiguredConnection((configuration) => configuration.loadFromFile(path));
}

class ConfiguredConnection implements Connection {
  readonly baseUrl: URL;
  private readonly load: (configuration: KubeConfig) => void;
  private configuration: KubeConfig | undefined;
  private agent: HttpAgent | undefined;
  private agentKey = '';
  private current: { readonly options: RequestOptions; readonly untilMs: number } | undefined;

  constructor(load: (configuration: KubeConfig) => void) {
    this.load = load;
    this.configuration = this.loadAnew();
    const server = this.configuration.getCurrentCluster()?.server;
    if (server === undefined) {
      throw new ConfigurationError('no API server is configured: set KUBECONFIG or run inside a cluster');
    }
    this.baseUrl = new URL(server);
  }

  async credentials(): Promise<RequestOptions> {
    if (this.current === undefined || this.current.untilMs < performance.now()) {
      this.current = { options: await this.read(), untilMs: performance.now() + CREDENTIALS_LIFE_MS };
    }
    return this.current.options;
  }

  /** client-node keeps a token for a minute; a new configuration holds none. */
  renew(): void {
    this.configuration = undefined;
    this.current = undefined;
  }

  private loadAnew(): KubeConfig {
    const configuration = new KubeConfig();
    this.load(configuration);
    return configuration;
  }

  private async read(): Promise<RequestOptions> {
    const full: HttpsRequestOptions = {};
    this.configuration ??= this.loadAnew();
    await this.configuration.applyToHTTPSOptions(full);
    const key = JSON.stringify([full.ca, full.cert, full.key, full.rejectUnauthorized, full.servername]);
    if (this.agent === undefined || key !== this.agentKey) {
      this.agent = keepAliveAgent(this.baseUrl, full);
      this.agentKey = key;
    }
    return requestCredentials(full, this.agent);
  }
}

/** client-node makes an agent of its own for each call; one that lives keeps connections. */
function keepAliveAgent({ protocol }: URL, full: HttpsRequestOptions): HttpAgent {
  if (protocol === 'http:') return new HttpAgent({ keepAlive: true, timeout: IDLE_SOCKET_MS });
  const { ca, cert, key, rejectUnauthorized, servername } = full;
  return new HttpsAgent({
    keepAlive: true,
    timeout: IDLE_SOCKET_MS,
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(rejectUnauthorized === undefined ? {} : { rejectUnauthorized }),
    ...(servername === undefined ? {} : { servername }),
  });
}

function requestCredentials(full: HttpsRequestOptions, agent: HttpAgent): RequestOptions {
  return {
    agent,
    ...(full.headers === undefined ? {} : { headers: full.headers }),
    ...(typeof full.auth === 'string' ? { auth: full.auth } : {}),
  };
}

/** For servers that ask for no credentials, such as the tests' own. */
export function plainConnection(baseUrl: string): Connection {
  const agent = new HttpAgent({ keepAlive: true });
  return { baseUrl: new URL(baseUrl), credentials: () => Promise.resolve({ agent }), renew: () => undefined };
}
