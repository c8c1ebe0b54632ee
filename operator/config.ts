import { hostname } from 'node:os';
import { Ajv } from 'ajv';
import { ConfigurationError } from './controller/errors.ts';
import { trafficPolicySchema, type TrafficPolicy } from './traffic/traffic-policy.ts';
import type { ModelSources } from './resources/controller-revision.ts';

/** Everything that the environment decides. */
export interface OperatorConfig {
  /** The runtime image of revisions that name none. */
  readonly runtimeImage: string;
  /** Only this namespace is looked after, where given. */
  readonly watchNamespace?: string;
  /** Beside it the only namespaces in which Gateways and their proxies are looked for; only with `watchNamespace`. */
  readonly gatewayNamespaces?: readonly string[];
  /** What the platform says of models' sources, where it says anything. */
  readonly modelSources?: ModelSources;
  /** The ValidatingAdmissionPolicy, and its binding, that hold `decidedBy` of decisions to the truth; they may be gone. */
  readonly decisionPolicy?: string;
  readonly logLevel: LogLevel;
  /** Port of /livez, /readyz and /metrics. */
  readonly healthPort: number;
  /** How many ModelDeployments are worked on at the same time. */
  readonly concurrency: number;
  /** Which namespaces may serve which hosts through which gateways; nobody anything where nothing is given. */
  readonly trafficPolicy: TrafficPolicy;
  /** The Lease whose holder works; all other replicas stand by. */
  readonly lease: { readonly namespace: string; readonly name: string };
  readonly leaseSeconds: number;
  /** By which people know this replica. */
  readonly podName: string;
}

export const LOG_LEVELS = ['error', 'warn', 'info', 'debug'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

type Environment = Readonly<Record<string, string | undefined>>;

export function readConfig(environment: Environment = process.env): OperatorConfig {
  const modelSources = readModelSources(environment);
  const decisionPolicy = optional(environment, 'HEADGATE_DECISION_POLICY');
  return {
    runtimeImage: required(environment, 'HEADGATE_RUNTIME_IMAGE'),
    ...readNamespaces(environment),
    ...(modelSources === undefined ? {} : { modelSources }),
    ...(decisionPolicy === undefined ? {} : { decisionPolicy }),
    logLevel: logLevel(optional(environment, 'HEADGATE_LOG_LEVEL') ?? 'info'),
    healthPort: wholeNumber(environment, 'HEADGATE_HEALTH_PORT', { least: 0, most: 65_535, usual: 8081 }),
    concurrency: wholeNumber(environment, 'HEADGATE_CONCURRENCY', { least: 1, most: 64, usual: 8 }),
    trafficPolicy: trafficPolicy(optional(environment, 'HEADGATE_TRAFFIC_POLICY') ?? '[]'),
    lease: namespacedName(environment, 'HEADGATE_LEASE'),
    leaseSeconds: wholeNumber(environment, 'HEADGATE_LEASE_SECONDS', { least: 1, most: 600, usual: 15 }),
    podName: optional(environment, 'HEADGATE_POD_NAME') ?? hostname(),
  };
}

function readNamespaces(
  environment: Environment,
): Pick<OperatorConfig, 'watchNamespace' | 'gatewayNamespaces'> {
  const watchNamespace = optional(environment, 'HEADGATE_WATCH_NAMESPACE');
  const others = optional(environment, 'HEADGATE_GATEWAY_NAMESPACES')?.split(',');
  if (watchNamespace !== undefined) return { watchNamespace, gatewayNamespaces: others ?? [] };
  if (others === undefined) return {};
  throw new ConfigurationError(
    'HEADGATE_GATEWAY_NAMESPACES is set without HEADGATE_WATCH_NAMESPACE; an operator of all namespaces sees every gateway',
  );
}

function optional(environment: Environment, name: string): string | undefined {
  const value = environment[name]?.trim();
  return value === '' ? undefined : value;
}

function required(environment: Environment, name: string): string {
  const value = optional(environment, name);
  if (value === undefined) throw new ConfigurationError(`${name} must be set`);
  return value;
}

function readModelSources(environment: Environment): ModelSources | undefined {
  const allow = optional(environment, 'HEADGATE_MODEL_SOURCES_ALLOW')?.split(/[\s,]+/u);
  const imageVolumes = optional(environment, 'HEADGATE_IMAGE_VOLUMES') === 'true';
  if (allow === undefined && !imageVolumes) return undefined;
  return { ...(allow !== undefined && { allow }), ...(imageVolumes && { imageVolumes }) };
}

function namespacedName(environment: Environment, variable: string): OperatorConfig['lease'] {
  const text = required(environment, variable);
  const [namespace, name, ...rest] = text.split('/');
  if (namespace === undefined || name === undefined || rest.length > 0) {
    throw new ConfigurationError(`${variable} is ${text}; it must be NAMESPACE/NAME`);
  }
  return { namespace, name };
}

function logLevel(text: string): LogLevel {
  const level = LOG_LEVELS.find((known) => known === text);
  if (level === undefined) {
    throw new ConfigurationError(`HEADGATE_LOG_LEVEL is ${text}; it must be one of ${LOG_LEVELS.join(', ')}`);
  }
  return level;
}

function trafficPolicy(text: string): TrafficPolicy {
  const policy = parsed(text);
  if (isTrafficPolicy(policy)) return policy;
  const [error] = isTrafficPolicy.errors ?? [];
  const field =
    error?.keyword === 'additionalProperties' ? `: ${String(error.params['additionalProperty'])}` : '';
  const where = `${error?.instancePath ?? ''} ${error?.message ?? ''}${field}`.trim();
  throw new ConfigurationError(
    `HEADGATE_TRAFFIC_POLICY must be a JSON list of {namespaces, gateways, hosts}, each a list of patterns: ${where}`,
  );
}

const isTrafficPolicy = new Ajv().compile<TrafficPolicy>(trafficPolicySchema);

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

interface Range {
  readonly least: number;
  readonly most: number;
  readonly usual: number;
}

function wholeNumber(environment: Environment, name: string, { least, most, usual }: Range): number {
  const text = optional(environment, name);
  if (text === undefined) return usual;
  const value = Number(text);
  if (!Number.isInteger(value) || value < least || value > most) {
    throw new ConfigurationError(`${name} is ${text}; it must be a whole number from ${least} to ${most}`);
  }
  return value;
}
