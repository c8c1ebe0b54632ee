import type { ModelDeployment } from '../api/model-deployment.ts';
import { annotations, entryServiceName, GRPC_PORT, labelsOf, SERVICE_PORT } from '../api/names.ts';
import type { KubernetesObject, ObjectMeta } from '../api/object.ts';
import { childMetadata } from './child.ts';

export interface Service extends KubernetesObject {
  readonly spec: {
    readonly type: 'ClusterIP';
    readonly selector: Readonly<Record<string, string>>;
    readonly ports: readonly {
      readonly name: string;
      readonly port: number;
      readonly protocol: 'TCP';
      readonly targetPort: string | number;
      readonly appProtocol: string;
    }[];
  };
}

/** The Service that routes name: the pods of one revision. */
export function buildRevisionService(modelDeployment: ModelDeployment, revision: string): Service {
  return service(modelDeployment, childMetadata(modelDeployment, { name: revision, revision }), revision);
}

/** The Service that clients name: without a sidecar they reach one revision by it, and only that one. */
export function buildEntryService(
  modelDeployment: ModelDeployment,
  revision: string,
  staged: readonly string[] = [],
): Service {
  const child = {
    name: entryServiceName(modelDeployment.metadata.name),
    ...(staged.length > 0 && { annotations: { [annotations.staged]: [...staged].sort().join(',') } }),
  };
  return service(modelDeployment, childMetadata(modelDeployment, child), revision);
}

function service(modelDeployment: ModelDeployment, metadata: ObjectMeta, revision: string): Service {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata,
    spec: {
      type: 'ClusterIP',
      selector: labelsOf(modelDeployment.metadata.name, revision),
      // Without appProtocol proxies would have to guess from the bytes whether this is HTTP.
      ports: [
        { name: 'http', port: SERVICE_PORT, protocol: 'TCP', targetPort: 'http', appProtocol: 'http' },
        // By number: a port that pods would have to name is a change of every pod that an earlier release has made.
        { name: 'grpc', port: GRPC_PORT, protocol: 'TCP', targetPort: GRPC_PORT, appProtocol: 'grpc' },
      ],
    },
  };
}
