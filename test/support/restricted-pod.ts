/** The parts of a pod that the restricted Pod Security Standard speaks of. */
export interface PodSpec {
  readonly hostNetwork?: boolean;
  readonly hostPID?: boolean;
  readonly hostIPC?: boolean;
  readonly securityContext?: SecurityContext & { readonly sysctls?: readonly unknown[] };
  readonly volumes?: readonly Readonly<Record<string, unknown>>[];
  readonly containers: readonly Container[];
  readonly initContainers?: readonly Container[];
}

interface SecurityContext {
  readonly runAsNonRoot?: boolean;
  readonly runAsUser?: number;
  readonly seccompProfile?: { readonly type: string };
  readonly seLinuxOptions?: unknown;
  readonly appArmorProfile?: { readonly type: string };
  readonly windowsOptions?: unknown;
}

export interface Container {
  readonly name: string;
  readonly image: string;
  readonly ports?: readonly { readonly hostPort?: number }[];
  readonly livenessProbe?: Handler;
  readonly readinessProbe?: Handler;
  readonly startupProbe?: Handler;
  readonly lifecycle?: { readonly postStart?: Handler; readonly preStop?: Handler };
  readonly securityContext?: SecurityContext & {
    readonly privileged?: boolean;
    readonly allowPrivilegeEscalation?: boolean;
    readonly readOnlyRootFilesystem?: boolean;
    readonly procMount?: string;
    readonly capabilities?: { readonly add?: readonly string[]; readonly drop?: readonly string[] };
  };
}

interface Handler {
  readonly httpGet?: { readonly host?: string };
  readonly tcpSocket?: { readonly host?: string };
}

/** One rule of the standard: what it asks, and whether a pod (or each of its containers) keeps to it. */
type PodRule = readonly [asks: string, keeps: (pod: PodSpec) => boolean];
type ContainerRule = readonly [asks: string, keeps: (container: Container, pod: PodSpec) => boolean];

const ALLOWED_VOLUMES = [
  'configMap',
  'csi',
  'downwardAPI',
  'emptyDir',
  'ephemeral',
  'image',
  'persistentVolumeClaim',
  'projected',
  'secret',
];

const podRules: readonly PodRule[] = [
  ['no host namespaces', (pod) => pod.hostNetwork !== true && pod.hostPID !== true && pod.hostIPC !== true],
  ['no sysctls', (pod) => (pod.securityContext?.sysctls ?? []).length === 0],
  [
    'only volumes that stay inside the cluster',
    (pod) =>
      (pod.volumes ?? []).every((volume) =>
        Object.keys(volume).every((key) => key === 'name' || ALLOWED_VOLUMES.includes(key)),
      ),
  ],
  ['no user 0 for the pod', (pod) => pod.securityContext?.runAsUser !== 0],
  ['no SELinux, AppArmor or Windows options for the pod', (pod) => hasNoSystemOptions(pod.securityContext)],
];

const containerRules: readonly ContainerRule[] = [
  ['not privileged', ({ securityContext }) => securityContext?.privileged !== true],
  ['no privilege escalation', ({ securityContext }) => securityContext?.allowPrivilegeEscalation === false],
  [
    'every capability dropped',
    ({ securityContext }) => securityContext?.capabilities?.drop?.includes('ALL') === true,
  ],
  ['no capability added', ({ securityContext }) => (securityContext?.capabilities?.add ?? []).length === 0],
  ['no host port', ({ ports }) => (ports ?? []).every(({ hostPort }) => hostPort === undefined)],
  ['no probe or hook of another host', (container) => handlers(container).every(staysInPod)],
  ['the usual /proc', ({ securityContext }) => (securityContext?.procMount ?? 'Default') === 'Default'],
  ['no SELinux, AppArmor or Windows options', ({ securityContext }) => hasNoSystemOptions(securityContext)],
  [
    'not as root',
    ({ securityContext }, pod) =>
      (securityContext?.runAsNonRoot ?? pod.securityContext?.runAsNonRoot) === true,
  ],
  ['no user 0', ({ securityContext }) => securityContext?.runAsUser !== 0],
  [
    'a seccomp profile',
    ({ securityContext }, pod) =>
      ['RuntimeDefault', 'Localhost'].includes(
        (securityContext?.seccompProfile ?? pod.securityContext?.seccompProfile)?.type ?? '',
      ),
  ],
];

/** Every way in which a pod breaks the restricted standard, as sentences; empty for a restricted pod. */
export function restrictedViolations(pod: PodSpec): string[] {
  const containers = [...(pod.initContainers ?? []), ...pod.containers];
  return [
    ...podRules.filter(([, keeps]) => !keeps(pod)).map(([asks]) => `the pod: ${asks}`),
    ...containers.flatMap((container) =>
      containerRules
        .filter(([, keeps]) => !keeps(container, pod))
        .map(([asks]) => `container ${container.name}: ${asks}`),
    ),
  ];
}

function hasNoSystemOptions(context: SecurityContext | undefined): boolean {
  return (
    context?.seLinuxOptions === undefined &&
    context?.windowsOptions === undefined &&
    (context?.appArmorProfile?.type ?? 'RuntimeDefault') === 'RuntimeDefault'
  );
}

function handlers({
  livenessProbe,
  readinessProbe,
  startupProbe,
  lifecycle,
}: Container): (Handler | undefined)[] {
  return [livenessProbe, readinessProbe, startupProbe, lifecycle?.postStart, lifecycle?.preStop];
}

function staysInPod(handler: Handler | undefined): boolean {
  return handler?.httpGet?.host === undefined && handler?.tcpSocket?.host === undefined;
}
