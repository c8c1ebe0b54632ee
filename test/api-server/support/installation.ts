import { setTimeout as rest } from 'node:timers/promises';
import type { ModelDeployment, ModelDeploymentStatus } from '../../../operator/api/model-deployment.ts';
import { labels } from '../../../operator/api/names.ts';
import type { KubernetesObject } from '../../../operator/api/object.ts';
import { connectionFromFile } from '../../../operator/controller/connection.ts';
import { collectionPath, objectPath } from '../../../operator/controller/resource-type.ts';
import { resourceType, type KnownKind } from '../../../operator/kube/kinds.ts';
import { createTransport, type Transport } from '../../../operator/controller/transport.ts';
import { ApiError } from '../../../operator/controller/errors.ts';
import { startApiServer, type RunningApiServer } from '../../bed/api-server.ts';
import {
  describeWrites,
  isSignOfLife,
  readAudit,
  readWrites,
  serviceAccountUser,
  type AuditedRequest,
} from '../../bed/audit.ts';
import { part } from '../../bed/programs.ts';
import { waitFor } from '../../bed/wait.ts';
import { chart, helm } from '../../charts/render.ts';
import { OperatorProcess } from './operator-process.ts';

export const SYSTEM_NAMESPACE = 'headgate-system';
export const NAMESPACE = 'ml';
/** As the chart names it in this release. */
export const DECISION_POLICY = `${SYSTEM_NAMESPACE}-headgate-decisions`;
const OPERATOR_USER = serviceAccountUser(SYSTEM_NAMESPACE, 'headgate');
/** A busy machine takes several times as long as an idle one; how long something may take is for a test to assert. */
const WAIT_LIMIT_MS = 120_000;

export interface InstallationOptions {
  readonly istio: boolean;
  /** false: an API server that only knows lists in pages, as most before 1.34. */
  readonly streamsLists?: boolean;
  readonly auditPolicy?: object;
}

/** The operator's environment beside what every test gives it. */
type OperatorSettings = Readonly<Record<string, string>>;

/** Headgate installed by its chart on a real API server; the operator runs as a process under the chart's rights. */
export class Installation {
  readonly server: RunningApiServer;
  /** The administrator's own way to the API server. */
  readonly transport: Transport;
  private readonly operatorKubeconfig: string;
  private readonly settings: OperatorSettings;
  private readonly operators: OperatorProcess[] = [];

  /** Of a release that is there already, under the kubeconfig of its account. */
  constructor(server: RunningApiServer, operatorKubeconfig: string, settings: OperatorSettings = {}) {
    this.server = server;
    this.operatorKubeconfig = operatorKubeconfig;
    this.settings = settings;
    this.transport = createTransport(connectionFromFile(server.kubeconfig));
  }

  static async create(options: InstallationOptions): Promise<Installation> {
    const further = options.streamsLists === false ? ['--feature-gates=WatchList=false'] : [];
    const { auditPolicy } = options;
    const server = await startApiServer({ further, ...(auditPolicy === undefined ? {} : { auditPolicy }) });
    try {
      for (const namespace of [SYSTEM_NAMESPACE, NAMESPACE]) {
        await server.kubectl('create', 'namespace', namespace);
        // Every pod of these tests is one that the restricted standard lets in.
        await server.kubectl(
          'label',
          'namespace',
          namespace,
          'pod-security.kubernetes.io/enforce=restricted',
        );
      }
      const place = ['--kubeconfig', server.kubeconfig, '--namespace', SYSTEM_NAMESPACE];
      await helm('install', 'headgate', chart, ...place);
      const crds = ['crd/modeldeployments.headgate.dev', 'crd/rolloutdecisions.headgate.dev'];
      await server.kubectl.established(...crds);
      const kubeconfig = await server.kubeconfigForServiceAccount(SYSTEM_NAMESPACE, 'headgate');
      const settings = { HEADGATE_DECISION_POLICY: DECISION_POLICY };
      const installation = new Installation(server, kubeconfig, settings);
      if (options.istio) await installation.installIstio();
      return installation;
    } catch (error) {
      await server.stop();
      throw error;
    }
  }

  /** Istio as far as an API server knows of it: its CustomResourceDefinitions. */
  async installIstio(): Promise<void> {
    await this.server.kubectl('create', '-f', part('istio-crds.yaml'));
    const plurals = ['virtualservices', 'gateways', 'destinationrules'];
    await this.server.kubectl.established(...plurals.map((plural) => `crd/${plural}.networking.istio.io`));
  }

  /** Takes every object of its kinds along. */
  async uninstallIstio(): Promise<void> {
    await this.server.kubectl('delete', '-f', part('istio-crds.yaml'), '--timeout=60s');
  }

  /** Settled once it is ready. */
  async startOperator(settings: Readonly<Record<string, string>> = {}): Promise<OperatorProcess> {
    const operator = await this.launchOperator(settings);
    await operator.ready();
    return operator;
  }

  async launchOperator(settings: Readonly<Record<string, string>> = {}): Promise<OperatorProcess> {
    const operator = await OperatorProcess.launch(this.operatorKubeconfig, { ...this.settings, ...settings });
    this.operators.push(operator);
    return operator;
  }

  async stop(): Promise<void> {
    await Promise.all(this.operators.map((operator) => operator.kill()));
    await this.server.stop();
  }

  /** What a user writes; the rest of the object is the API server's defaults. */
  async apply(name: string, spec: object, namespace = NAMESPACE): Promise<ModelDeployment> {
    const path = objectPath(resourceType('ModelDeployment'), namespace, name);
    return (await this.transport.request({
      ...{ method: 'PATCH', path, contentType: 'application/apply-patch+yaml' },
      query: { fieldManager: 'user', force: 'true' },
      body: {
        apiVersion: 'headgate.dev/v1alpha1',
        kind: 'ModelDeployment',
        metadata: { name, namespace },
        spec,
      },
    })) as ModelDeployment;
  }

  async modelDeployment(name: string): Promise<ModelDeployment> {
    return (await this.get('ModelDeployment', name)) as ModelDeployment;
  }

  async get(kind: KnownKind, name: string, namespace = NAMESPACE): Promise<KubernetesObject> {
    const path = objectPath(resourceType(kind), namespace, name);
    return (await this.transport.request({ method: 'GET', path })) as KubernetesObject;
  }

  async find(kind: KnownKind, name: string): Promise<KubernetesObject | undefined> {
    return await this.get(kind, name).catch((error: unknown) => {
      if (error instanceof ApiError && error.status === 404) return undefined;
      throw error;
    });
  }

  /** All of a kind in the namespace, or those that belong to one ModelDeployment. */
  async list(kind: KnownKind, modelDeployment?: string): Promise<readonly KubernetesObject[]> {
    const type = resourceType(kind);
    const query: Record<string, string> =
      modelDeployment === undefined ? {} : { labelSelector: `${labels.modelDeployment}=${modelDeployment}` };
    const answer = await this.transport.request({
      method: 'GET',
      path: collectionPath(type, NAMESPACE),
      query,
    });
    return (answer as { readonly items: readonly KubernetesObject[] }).items.map((item) => ({
      ...item,
      apiVersion: type.apiVersion,
      kind: type.kind,
    }));
  }

  async patch(kind: KnownKind, name: string, body: object): Promise<void> {
    const path = objectPath(resourceType(kind), NAMESPACE, name);
    await this.transport.request({
      method: 'PATCH',
      path,
      body,
      contentType: 'application/merge-patch+json',
    });
  }

  async remove(kind: KnownKind, name: string): Promise<void> {
    await this.transport.request({ method: 'DELETE', path: objectPath(resourceType(kind), NAMESPACE, name) });
  }

  /** Waits for a status; when the time is up, the sentence holds the status as it is. */
  async waitForStatus(
    name: string,
    what: string,
    holds: (status: ModelDeploymentStatus) => boolean,
    timeoutMs = WAIT_LIMIT_MS,
  ): Promise<ModelDeploymentStatus> {
    let last: ModelDeploymentStatus | undefined;
    return await waitFor(
      `${name} is ${what}`,
      async () => {
        last = (await this.modelDeployment(name)).status;
        if (last !== undefined && holds(last)) return last;
        throw new Error(`${last?.phase ?? 'no phase'}, ${last?.reason ?? ''}: ${last?.message ?? ''}`);
      },
      { timeoutMs },
    );
  }

  async healthy(name: string): Promise<ModelDeploymentStatus> {
    const { metadata } = await this.modelDeployment(name);
    return await this.waitForStatus(
      name,
      'Healthy',
      ({ phase, observedGeneration }) =>
        phase === 'Healthy' && (observedGeneration ?? 0) >= metadata.generation,
    );
  }

  /** What the operator has written in a time in which nothing happened: sentences with counts. */
  async writesWithin(durationMs: number): Promise<readonly string[]> {
    const fromMs = Date.now();
    await rest(durationMs);
    return await this.writesSince(fromMs);
  }

  async writesSince(fromMs: number): Promise<readonly string[]> {
    const writes = await readWrites(this.server.auditLog, { user: OPERATOR_USER, fromMs });
    return describeWrites(writes.filter((write) => !isSignOfLife(write)));
  }

  async requestsOfOperator(): Promise<readonly AuditedRequest[]> {
    return await readAudit(this.server.auditLog, { user: OPERATOR_USER });
  }
}
