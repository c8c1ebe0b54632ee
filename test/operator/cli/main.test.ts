import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { examplesFolder } from '../../support/examples.ts';

const repository = join(import.meta.dirname, '../../..');

interface Answer {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function headgate(args: readonly string[], input = ''): Promise<Answer> {
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      ['operator/cli/main.ts', ...args],
      { cwd: repository },
      (error, stdout, stderr) => resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    );
    child.stdin?.end(input);
  });
}

describe('headgate lint', () => {
  it('tells of each mistake where editors look for it, and ends with 1', async () => {
    const { code, stdout } = await headgate(['lint', 'examples/invalid']);
    expect(code).toBe(1);
    expect(stdout).toMatch(
      /^examples\/invalid\/weight-fraction\.yaml:\d+:\d+: spec\.rollout\.canary\.steps\[0\]\.weight: must be of type integer$/m,
    );
    expect(stdout.trimEnd().split('\n').at(-1)).toMatch(/^\d+ objects in \d+ files: \d+ mistakes$/);
  });

  it('ends with 0 where there is no mistake', async () => {
    const answer = await headgate(['lint', join(examplesFolder, 'canary.yaml')]);
    expect(answer.code).toBe(0);
    expect(answer.stdout).toContain('1 file: 0 mistakes');
  });

  it('reads standard input', async () => {
    const answer = await headgate(
      ['lint', '-'],
      'apiVersion: headgate.dev/v1alpha1\nkind: ModelDeployment\n',
    );
    expect(answer.code).toBe(1);
    expect(answer.stdout).toContain('-:1:1: spec: Required value');
  });

  it.each([
    ['without anything', []],
    ['without a file', ['lint']],
    ['with an option that does not exist', ['lint', '--fast', 'a.yaml']],
    ['with a command that does not exist', ['sing']],
  ])('called %s says how it is called and ends with 2', async (_, args) => {
    const { code, stderr } = await headgate(args);
    expect(code).toBe(2);
    expect(stderr).toContain('headgate lint PATH...');
  });

  it('names a file that is not there', async () => {
    const { code, stderr } = await headgate(['lint', 'nowhere.yaml']);
    expect(code).toBe(2);
    expect(stderr).toContain('nowhere.yaml');
  });
});
