import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Ajv, type ValidateFunction } from 'ajv';
import type { KubernetesObject } from '../../operator/api/object.ts';
import { kubernetesSchemas } from './kubernetes-schemas.ts';

/** What is wrong with an object by the schemas of the Kubernetes release that the bed runs; empty when nothing is. */
export type SchemaErrors = (object: KubernetesObject) => string[];

const files: Readonly<Record<string, string>> = {
  Deployment: 'deployment-apps-v1.json',
  ControllerRevision: 'controllerrevision-apps-v1.json',
  HorizontalPodAutoscaler: 'horizontalpodautoscaler-autoscaling-v2.json',
  PodDisruptionBudget: 'poddisruptionbudget-policy-v1.json',
  Service: 'service-v1.json',
};

export async function schemaValidation(): Promise<SchemaErrors> {
  const folder = await kubernetesSchemas();
  const validators = new Map<string, ValidateFunction>();
  for (const [kind, file] of Object.entries(files)) {
    const schema = JSON.parse(await readFile(join(folder, file), 'utf8')) as object;
    validators.set(kind, new Ajv({ strict: false, validateFormats: false, allErrors: true }).compile(schema));
  }
  return (object) => {
    const validate = validators.get(object.kind);
    if (validate === undefined) throw new Error(`no schema of ${object.kind} has been loaded`);
    if (validate(object)) return [];
    return (validate.errors ?? []).map(
      ({ instancePath, message, params }) => `${instancePath} ${message ?? ''} ${JSON.stringify(params)}`,
    );
  };
}
