import type { ModelDeployment } from '../../../operator/api/model-deployment.ts';
import type { KubernetesObject } from '../../../operator/api/object.ts';
import { ListWatch } from '../../../operator/controller/list-watch.ts';
import { ObjectStore } from '../../../operator/controller/object-store.ts';
import { resourceType } from '../../../operator/kube/kinds.ts';
import { NAMESPACE, type Installation } from './installation.ts';

/** Every version of every ModelDeployment that the API server tells of, in its order, as `kubectl get -w` shows it. */
export class Chronicle {
  private readonly versions = new Map<string, ModelDeployment[]>();
  private readonly listWatch: ListWatch;

  constructor({ transport }: Installation) {
    this.listWatch = new ListWatch({
      transport,
      type: resourceType('ModelDeployment'),
      store: new ObjectStore(() => undefined),
      trim: (type, raw) =>
        ({ ...(raw as object), apiVersion: type.apiVersion, kind: type.kind }) as KubernetesObject,
      namespace: NAMESPACE,
      onChange: ({ object }) => this.of(object.metadata.name).push(object as ModelDeployment),
    });
    this.listWatch.start();
  }

  of(name: string): ModelDeployment[] {
    const known = this.versions.get(name) ?? [];
    this.versions.set(name, known);
    return known;
  }

  async stop(): Promise<void> {
    await this.listWatch.stop();
  }
}
