import { rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import type { KubernetesObject } from '../../../operator/api/object.ts';
import type { Finding, Scanner } from './scanner.ts';
import { subjects, writeManifests } from './subjects.ts';
import { isSuppressedBy, suppressions } from './suppressions.ts';

/** Each is slow to start; a busy machine makes it slower. */
const SCAN_TIMEOUT_MS = 180_000;

/** Every scanner over every subject: nothing but what is suppressed, and each suppression still has its occasion. */
export function describeScans(scanners: readonly Scanner[]): void {
  describe.each(scanners)('$name', (scanner) => {
    const found: Finding[] = [];

    async function scan(objects: readonly KubernetesObject[]): Promise<readonly Finding[]> {
      const file = await writeManifests(objects);
      try {
        return await scanner.scan(file);
      } finally {
        await rm(dirname(file), { recursive: true });
      }
    }

    beforeAll(async () => {
      const scans = await Promise.all(subjects.map(async (render) => await scan(await render())));
      found.push(...scans.flat());
    }, SCAN_TIMEOUT_MS);

    test('finds nothing in chart and children but what is suppressed', () => {
      const findings = found.filter(
        (finding) => !suppressions.some((suppression) => isSuppressedBy(suppression, finding)),
      );
      expect(findings).toEqual([]);
    });

    test('gives every suppression that names it an occasion', () => {
      const named = suppressions.flatMap(({ rules }) =>
        rules.filter((rule) => rule.startsWith(scanner.name)),
      );
      const occurring = new Set(found.map(({ rule }) => `${scanner.name} ${rule}`));
      expect(named.filter((rule) => !occurring.has(rule))).toEqual([]);
    });

    test('would find a privileged container', { timeout: SCAN_TIMEOUT_MS }, async () => {
      const objects = (await subjects[0]?.()) ?? [];
      const seeded = JSON.parse(
        JSON.stringify(objects).replaceAll('"allowPrivilegeEscalation":false', '"privileged":true'),
      ) as readonly KubernetesObject[];
      const rules = new Set(found.map(({ rule }) => rule));
      const further = (await scan(seeded)).filter(({ rule }) => !rules.has(rule));
      expect(further.map(({ object }) => object)).toContain('Deployment/headgate');
    });
  });
}
