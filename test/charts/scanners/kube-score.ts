import { part } from '../../bed/programs.ts';
import { runAnyway } from './run-anyway.ts';
import type { Finding, Scanner } from './scanner.ts';

interface ScoredObject {
  readonly type_meta: { readonly kind: string };
  readonly object_meta: { readonly name: string };
  readonly checks: readonly {
    readonly check: { readonly id: string };
    readonly grade: number;
    readonly skipped: boolean;
  }[];
}

/** kube-score's grades: 1 is critical, 5 a warning, 7 almost, 10 all right. */
const CRITICAL = 1;

export const kubeScore: Scanner = {
  name: 'kube-score',
  async scan(file) {
    const words = ['score', '--output-format', 'json', '--kubernetes-version', 'v1.34', file];
    const objects = JSON.parse(await runAnyway(part('kube-score'), words)) as readonly ScoredObject[];
    return objects.flatMap(({ type_meta, object_meta, checks }) =>
      checks
        .filter(({ grade, skipped }) => grade === CRITICAL && !skipped)
        .map(({ check }): Finding => ({
          ...{ scanner: 'kube-score', rule: check.id },
          object: `${type_meta.kind}/${object_meta.name}`,
        })),
    );
  },
};
