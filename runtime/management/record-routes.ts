import express, { type Express } from 'express';
import type { Watchers } from '../watchers.ts';

const MOST_IDS = 10_000;

function readIds(body: unknown): ReadonlySet<string> | undefined {
  const ids = (body as { readonly requestIds?: unknown } | undefined)?.requestIds;
  if (!Array.isArray(ids) || ids.length === 0 || ids.length > MOST_IDS) return undefined;
  return ids.every((id): id is string => typeof id === 'string') ? new Set(ids) : undefined;
}

/** Erasing what is kept of single requests, as whoever they are about may ask for. */
export function addRecordRoutes(app: Express, { records }: Watchers): void {
  app.post('/headgate/records/erase', express.json({ limit: '2mb' }), async (request, response) => {
    if (records?.canErase !== true) {
      response.status(409).json({
        error:
          'no records are kept here: only those of the sink File are, and others are erased where they were sent to',
      });
      return;
    }
    const requestIds = readIds(request.body);
    if (requestIds === undefined) {
      response.status(400).json({ error: `expected {"requestIds": [1 to ${MOST_IDS} texts]}` });
      return;
    }
    const { erased, otherPods } = await records.erase(requestIds);
    response.json({ erased, ...(otherPods.length > 0 && { otherPods }) });
  });
}
