import { part } from '../../bed/programs.ts';
import { runAnyway } from './run-anyway.ts';
import type { Finding, Scanner } from './scanner.ts';

interface Failure {
  readonly id: string;
  readonly object: string;
}

/** All severities, as `trivy config` does where nothing is said. */
export const trivy: Scanner = {
  name: 'trivy',
  async scan(file) {
    const failures = JSON.parse(await runAnyway(part('trivy-config'), [file])) as readonly Failure[];
    return failures.map(({ id, object }): Finding => ({ scanner: 'trivy', rule: id, object }));
  },
};
