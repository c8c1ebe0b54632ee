import type { PodShape } from '../api/model-deployment.ts';
import { CREDENTIALS_FOLDER, IDENTITY_FOLDER, MODEL_MOUNT } from '../api/names.ts';
import type { ModelSources, Snapshot } from './controller-revision.ts';
import { quantityUnits } from './quantity.ts';
import type { Volume, VolumeMount } from './volumes.ts';

/** What one way for a model to arrive adds to a pod. */
export interface ModelSupply {
  /** As the runtime is told: it knows neither claims nor image volumes, only folders. */
  readonly uri: string;
  readonly volumes: readonly Volume[];
  readonly mounts: readonly VolumeMount[];
  readonly environment: readonly (readonly [name: string, value: string | undefined])[];
  /** Secrets that the kubelet needs to pull the model. */
  readonly pullSecrets: readonly { readonly name: string }[];
}

const nothing: Omit<ModelSupply, 'uri'> = { volumes: [], mounts: [], environment: [], pullSecrets: [] };
const MODEL_VOLUME = 'model';
const TOKEN_FILE = 'token';
/** The kubelet renews a token when four fifths of its life are over. */
const TOKEN_LIFE_SECONDS = 3600;

export function supplyModel({ podShape: { model }, modelSources = {} }: Snapshot): ModelSupply {
  const claim = claimOf(model.uri);
  if (claim !== undefined) {
    const source = { persistentVolumeClaim: { claimName: claim.claim, readOnly: true } };
    return { ...mounted(source), uri: `file://${MODEL_MOUNT}/${claim.path}` };
  }
  const image = /^oci:\/\/(.+)$/.exec(model.uri)?.[1];
  if (image !== undefined && modelSources.imageVolumes === true) return mountedImage(image, model);
  return downloaded(model, modelSources);
}

function downloaded(model: PodShape['model'], { allow }: ModelSources): ModelSupply {
  const credentials = supplyCredentials(model);
  const { uri, s3, gs } = model;
  return {
    ...credentials,
    uri,
    environment: [
      ['HEADGATE_MODEL_MAX_BYTES', maxBytes(model)],
      ['HEADGATE_MODEL_SOURCES_ALLOW', allow?.join(',')],
      ['HEADGATE_MODEL_S3_ENDPOINT', s3?.endpoint],
      ['HEADGATE_MODEL_S3_REGION', s3?.region],
      ['HEADGATE_MODEL_S3_PATH_STYLE', s3?.pathStyle?.toString()],
      ['HEADGATE_MODEL_GS_ENDPOINT', gs?.endpoint],
      ...credentials.environment,
    ],
  };
}

/** The claim and the path within it that a pvc:// URI names; undefined for any other URI. */
function claimOf(uri: string): { readonly claim: string; readonly path: string } | undefined {
  const match = /^pvc:\/\/([^/]+)\/(.+)$/.exec(uri);
  const [, claim, path] = match ?? [];
  return claim === undefined || path === undefined ? undefined : { claim, path };
}

/** The slash at the end lets the runtime look for the one model in it. */
function mountedImage(reference: string, { credentials }: PodShape['model']): ModelSupply {
  const supply = mounted({ image: { reference, pullPolicy: 'IfNotPresent' } });
  const { secretName } = credentials ?? {};
  return {
    ...supply,
    uri: `file://${MODEL_MOUNT}/`,
    pullSecrets: secretName === undefined ? [] : [{ name: secretName }],
  };
}

function mounted(source: Readonly<Record<string, unknown>>): Omit<ModelSupply, 'uri'> {
  return {
    ...nothing,
    volumes: [{ name: MODEL_VOLUME, ...source }],
    mounts: [{ name: MODEL_VOLUME, mountPath: MODEL_MOUNT, readOnly: true }],
  };
}

/** The kubelet mounts the Secret, the pod reads it: the operator has no right to. */
function supplyCredentials({ credentials }: PodShape['model']): Omit<ModelSupply, 'uri'> {
  const { secretName, workloadIdentity } = credentials ?? {};
  if (secretName !== undefined) {
    const name = 'model-credentials';
    return {
      ...nothing,
      volumes: [{ name, secret: { secretName } }],
      mounts: [{ name, mountPath: CREDENTIALS_FOLDER, readOnly: true }],
      environment: [['HEADGATE_MODEL_CREDENTIALS', 'Secret']],
    };
  }
  if (workloadIdentity === undefined) return nothing;
  const { role, audience } = workloadIdentity;
  const identity: Omit<ModelSupply, 'uri'> = role === undefined ? nothing : projectedToken(role, audience);
  return {
    ...identity,
    environment: [['HEADGATE_MODEL_CREDENTIALS', 'WorkloadIdentity'], ...identity.environment],
  };
}

/** A token for this audience alone, beside none for the API server. */
function projectedToken(role: string, audience: string): Omit<ModelSupply, 'uri'> {
  const name = 'model-identity';
  const serviceAccountToken = { audience, expirationSeconds: TOKEN_LIFE_SECONDS, path: TOKEN_FILE };
  return {
    ...nothing,
    volumes: [{ name, projected: { sources: [{ serviceAccountToken }] } }],
    mounts: [{ name, mountPath: IDENTITY_FOLDER, readOnly: true }],
    environment: [
      ['HEADGATE_MODEL_ROLE', role],
      ['HEADGATE_MODEL_IDENTITY_TOKEN', `${IDENTITY_FOLDER}/${TOKEN_FILE}`],
    ],
  };
}

function maxBytes({ maxSize }: PodShape['model']): string | undefined {
  return maxSize === undefined ? undefined : quantityUnits(String(maxSize))?.toString();
}
