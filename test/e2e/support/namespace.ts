import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach } from 'vitest';
import { printDiagnostics } from './diagnostics.ts';
import { restrictedNamespace, type Stack } from './stack.ts';

/**
 * A namespace for the tests of one file, under restricted Pod Security, gone after them. When a test fails, what the
 * cluster says about it is printed.
 */
export function useNamespace(stack: Stack, prefix: string): string {
  // Never the one of a run before: that may still be on its way out.
  const name = `${prefix}-${randomBytes(3).toString('hex')}`;
  beforeAll(async () => {
    await stack.bed.kubectl.apply([
      { apiVersion: 'v1', kind: 'Namespace', metadata: restrictedNamespace(name) },
    ]);
  });
  beforeEach(({ onTestFailed }) => {
    onTestFailed(() => printDiagnostics(stack.bed, name));
  });
  afterAll(async () => {
    await stack.bed.kubectl('delete', 'namespace', name, '--wait=false');
  });
  return name;
}
