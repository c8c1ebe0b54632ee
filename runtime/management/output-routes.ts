import type { Express } from 'express';
import type { KeptAnswer } from '../comparison/output-ring.ts';
import type { Watchers } from '../watchers.ts';

function entryText({ outputs, endedAtMs, ...entry }: KeptAnswer, nowMs: number): string {
  const head = JSON.stringify({ ...entry, ageMs: Math.round(nowMs - endedAtMs) });
  return `${head.slice(0, -1)},"outputs":${outputs ?? 'null'}}`;
}

/**
 * GET /headgate/outputs?after=SEQUENCE: what was answered to a sample of requests, for comparing two revisions. Whoever
 * asks again gives the last sequence that it has.
 */
export function addOutputRoutes(app: Express, { outputs, revision }: Watchers): void {
  app.get('/headgate/outputs', (request, response) => {
    const after = Number(request.query['after'] ?? 0);
    if (!Number.isSafeInteger(after)) {
      response.status(400).json({ error: "expected 'after' to be the sequence of an entry" });
      return;
    }
    const nowMs = performance.now();
    const entries = outputs.list(after, nowMs).map((entry) => entryText(entry, nowMs));
    const head = JSON.stringify({ revision, share: outputs.share });
    response.type('application/json').send(`${head.slice(0, -1)},"entries":[${entries.join(',')}]}`);
  });
}
