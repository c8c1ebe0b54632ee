import type { KubernetesObject } from '../../operator/api/object.ts';
import type { Container, PodSpec } from '../support/restricted-pod.ts';

export interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly verbs: readonly string[];
  readonly nonResourceURLs?: readonly string[];
}

export interface ClusterRole extends KubernetesObject {
  readonly kind: 'ClusterRole';
  readonly rules: readonly Rule[];
}

export interface Role extends KubernetesObject {
  readonly kind: 'Role';
  readonly rules: readonly Rule[];
}

interface Binding extends KubernetesObject {
  readonly roleRef: { readonly kind: string; readonly name: string };
  readonly subjects?: readonly { readonly kind: string; readonly name: string; readonly namespace: string }[];
}

export interface ClusterRoleBinding extends Binding {
  readonly kind: 'ClusterRoleBinding';
}

export interface RoleBinding extends Binding {
  readonly kind: 'RoleBinding';
}

export interface OperatorContainer extends Container {
  readonly imagePullPolicy: string;
  readonly env: readonly { readonly name: string; readonly value?: string }[];
  readonly command?: readonly string[];
  readonly args?: readonly string[];
  readonly volumeMounts?: readonly unknown[];
}

export interface OperatorPodSpec extends PodSpec {
  readonly containers: readonly OperatorContainer[];
  readonly serviceAccountName?: string;
  readonly automountServiceAccountToken?: boolean;
  readonly nodeSelector?: Readonly<Record<string, string>>;
  readonly tolerations?: readonly unknown[];
  readonly affinity?: unknown;
  readonly topologySpreadConstraints?: readonly {
    readonly topologyKey: string;
    readonly whenUnsatisfiable: string;
    readonly labelSelector?: unknown;
  }[];
  readonly priorityClassName?: string;
  readonly imagePullSecrets?: readonly unknown[];
}

export interface Deployment extends KubernetesObject {
  readonly kind: 'Deployment';
  readonly spec: {
    readonly replicas: number;
    readonly strategy: { readonly type: string };
    readonly selector: { readonly matchLabels: Readonly<Record<string, string>> };
    readonly template: {
      readonly metadata: {
        readonly labels: Readonly<Record<string, string>>;
        readonly annotations?: Readonly<Record<string, string>>;
      };
      readonly spec: OperatorPodSpec;
    };
  };
}

export interface DisruptionBudget extends KubernetesObject {
  readonly kind: 'PodDisruptionBudget';
  readonly spec: { readonly minAvailable: number; readonly selector: unknown };
}

export interface Pod extends KubernetesObject {
  readonly kind: 'Pod';
  readonly spec: OperatorPodSpec;
}

export interface Service extends KubernetesObject {
  readonly kind: 'Service';
  readonly spec: {
    readonly selector: Readonly<Record<string, string>>;
    readonly ports: readonly { readonly port: number; readonly targetPort: string | number }[];
  };
}

export interface ConfigMap extends KubernetesObject {
  readonly kind: 'ConfigMap';
  readonly data: Readonly<Record<string, string>>;
}
