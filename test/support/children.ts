import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { buildCustomResourceDefinitions } from '../../operator/api/crd.ts';
import type { ModelDeployment } from '../../operator/api/model-deployment.ts';
import { revisionName } from '../../operator/api/names.ts';
import type { KubernetesObject } from '../../operator/api/object.ts';
import type { StructuralSchema } from '../../operator/api/structural.ts';
import { structureCheck } from '../../operator/lint/structure.ts';
import { buildAutoscaler } from '../../operator/resources/autoscaler.ts';
import { buildControllerRevision } from '../../operator/resources/controller-revision.ts';
import { buildDeployment } from '../../operator/resources/deployment.ts';
import { buildDisruptionBudget } from '../../operator/resources/disruption-budget.ts';
import { buildEntryService, buildRevisionService } from '../../operator/resources/service.ts';
import { routers } from '../../operator/traffic/index.ts';
import { splitBetween } from '../../operator/traffic/routing.ts';
import { examplesFolder } from './examples.ts';

/** Everything that one revision and its routes are made of, in the midst of a rollout. */
export function childrenOf(modelDeployment: ModelDeployment): readonly KubernetesObject[] {
  const { metadata, spec } = modelDeployment;
  const revision = revisionName(metadata.name, spec);
  const snapshot = { podShape: spec, runtimeImage: spec.runtime?.image ?? 'example.com/headgate-runtime:1' };
  const size = { minReplicas: 2, maxReplicas: 4, holdScaleDown: true } as const;
  return [
    buildControllerRevision(modelDeployment, { name: revision, number: 1, snapshot, marks: {} }),
    buildDeployment(modelDeployment, revision, snapshot),
    buildRevisionService(modelDeployment, revision),
    buildEntryService(modelDeployment, revision),
    buildDisruptionBudget(modelDeployment, revision),
    buildAutoscaler(modelDeployment, revision, { ...size, metric: 'Latency' }),
    ...routers.istio.policiesFor(modelDeployment, revision),
    ...routers.istio.render(modelDeployment, splitBetween(revision, `${metadata.name}-cccccccccc`, 0))
      .objects,
  ];
}

/** The ModelDeployments of examples/ as an API server would hand them out: named, in a namespace, with every default. */
export async function exampleModelDeployments(namespace: string): Promise<readonly ModelDeployment[]> {
  const [definition] = buildCustomResourceDefinitions();
  const [version] = (definition?.spec['versions'] ?? []) as readonly {
    readonly schema: { readonly openAPIV3Schema: StructuralSchema };
  }[];
  if (version === undefined) throw new Error('the definition has no version');
  const fill = structureCheck(version.schema.openAPIV3Schema);
  const files = (await readdir(examplesFolder)).filter((name) => name.endsWith('.yaml'));
  const texts = await Promise.all(files.map((file) => readFile(join(examplesFolder, file), 'utf8')));
  return texts
    .flatMap((text) => parseAllDocuments(text).map((document) => document.toJS() as ModelDeployment))
    .filter(({ kind }) => kind === 'ModelDeployment')
    .map((object) => {
      fill(object);
      return { ...object, metadata: { ...object.metadata, namespace, uid: object.metadata.name } };
    });
}
