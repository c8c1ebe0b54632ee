import type { Finding } from './scanner.ts';

/** What we leave as it is although scanners complain. */
export interface Suppression {
  readonly reason: string;
  readonly rules: readonly string[];
  /** Of which objects; all when not given. */
  readonly objects?: RegExp;
}

const models = /^(Deployment|Pod)\/(?!headgate)/;
const operator = /^((Deployment|Pod)\/headgate(-test)?|(Cluster)?Role\/headgate-system-headgate)$/;

export const suppressions: readonly Suppression[] = [
  {
    reason:
      'A CPU limit throttles: an operator that is throttled aborts late, a model answers late. Requests share CPU.',
    rules: ['checkov CKV_K8S_11', 'kube-score container-resources', 'trivy KSV-0011'],
  },
  {
    reason: 'What a model needs, its user says in spec.resources; the smallest examples say nothing.',
    rules: [
      ...['checkov CKV_K8S_10', 'checkov CKV_K8S_12', 'checkov CKV_K8S_13'],
      'kube-score container-ephemeral-storage-request-and-limit',
      ...['trivy KSV-0015', 'trivy KSV-0016', 'trivy KSV-0018'],
    ],
    objects: models,
  },
  {
    reason:
      'Registry and digest are the installer’s to give (image.repository, image.digest); a version’s tag is never pushed twice, so a pulled image is the right one.',
    rules: [
      ...['checkov CKV_K8S_43', 'checkov CKV_K8S_15', 'kube-score container-image-pull-policy'],
      'trivy KSV-0125',
    ],
  },
  {
    reason:
      'The operator is a client of the API server: Deployments and Services are what it makes. Its test asks whether the API is served.',
    rules: ['checkov CKV_K8S_38', 'trivy KSV-0036', 'trivy KSV-0048', 'trivy KSV-0056'],
    objects: operator,
  },
  {
    reason: 'The test runs once and ends: nobody would read its probes.',
    rules: ['checkov CKV_K8S_8', 'checkov CKV_K8S_9'],
    objects: /^Pod\/headgate-test$/,
  },
];

export function isSuppressedBy({ rules, objects }: Suppression, { scanner, rule, object }: Finding): boolean {
  return rules.includes(`${scanner} ${rule}`) && (objects?.test(object) ?? true);
}
