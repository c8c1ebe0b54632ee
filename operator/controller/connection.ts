import { Agent as HttpAgent, type RequestOptions } from 'node:http';
import { Agent as HttpsAgent, type RequestOptions as HttpsRequestOptions } from 'node:https';
import { KubeConfig } from '@kubernetes/client-node';
import { ConfigurationError } from './errors.ts';

/** Where the API server is and how to prove who we are. */
export interface Connection {
  readonly baseUrl: URL;
  /** Agent, headers and basic credentials for the next request. */
  credentials(): Promise<RequestOptions>;
}

/** Tokens of service accounts change about every hour; client-node reads the file anew when asked. */
const CREDENTIALS_LIFE_MS = 30_000;
/** Below the 90 s after which the API server closes an idle connection: a request never meets a closing one. */
const IDLE_SOCKET_MS = 30_000;

/** From KUBECONFIG, ~/.kube/config or the pod's service account, in this order, as every Kubernetes client does. */
export function connectionFromDefault(): Connection {
  const configuration = new KubeConfig();
  configuration.loadFromDefault();
  return connectionOf(configuration);
}

export function connectionFromFile(path: string): Connection {
  const configuration = new KubeConfig();
  configuration.loadFromFile(path);
  return connectionOf(configuration);
}

function connectionOf(configuration: KubeConfig): Connection {
  const server = configuration.getCurrentCluster()?.server;
  if (server === undefined) {
    throw new ConfigurationError('no API server is configured: set KUBECONFIG or run inside a cluster');
  }
  let agent: HttpsAgent | undefined;
  let agentKey = '';
  let current: { readonly options: RequestOptions; readonly untilMs: number } | undefined;
  const read = async (): Promise<RequestOptions> => {
    const full: HttpsRequestOptions = {};
    await configuration.applyToHTTPSOptions(full);
    const key = JSON.stringify([full.ca, full.cert, full.key, full.rejectUnauthorized, full.servername]);
    if (agent === undefined || key !== agentKey) {
      agent = keepAliveAgent(full);
      agentKey = key;
    }
    return requestCredentials(full, agent);
  };
  return {
    baseUrl: new URL(server),
    async credentials() {
      if (current === undefined || current.untilMs < Date.now()) {
        current = { options: await read(), untilMs: Date.now() + CREDENTIALS_LIFE_MS };
      }
      return current.options;
    },
  };
}

/** client-node makes an agent of its own for each call; one that lives keeps connections. */
function keepAliveAgent(full: HttpsRequestOptions): HttpsAgent {
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

function requestCredentials(full: HttpsRequestOptions, agent: HttpsAgent): RequestOptions {
  return {
    agent,
    ...(full.headers === undefined ? {} : { headers: full.headers }),
    ...(typeof full.auth === 'string' ? { auth: full.auth } : {}),
  };
}

/** For servers that ask for no credentials, such as the tests' own. */
export function plainConnection(baseUrl: string): Connection {
  const agent = new HttpAgent({ keepAlive: true });
  return { baseUrl: new URL(baseUrl), credentials: () => Promise.resolve({ agent }) };
}
