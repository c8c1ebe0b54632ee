import type { Express } from 'express';
import type { NamedFeatureReport } from '../drift/tensor-features.ts';
import type { Watchers } from '../watchers.ts';

/** In the form of baseline.json: features by tensor, in order. */
function asBaselines(features: readonly NamedFeatureReport[]): Record<string, unknown[]> {
  const byTensor: Record<string, unknown[]> = {};
  for (const { tensor, baseline } of features) (byTensor[tensor] ??= []).push(baseline ?? null);
  return byTensor;
}

/** The bins behind the figures, which of all pods with one baseline add up; and what this pod has learned, to be kept. */
export function addDriftRoutes(app: Express, { drift }: Watchers): void {
  app.get('/headgate/drift', (_request, response) => {
    if (drift === undefined) response.status(404).json({ error: 'drift is not watched here' });
    else response.json(drift.report(performance.now()));
  });
  app.get('/headgate/drift/baseline', (_request, response) => {
    if (drift === undefined) {
      response.status(404).json({ error: 'drift is not watched here' });
      return;
    }
    const { input, output } = drift.report(performance.now());
    response.json({ inputs: asBaselines(input), outputs: asBaselines(output) });
  });
}
