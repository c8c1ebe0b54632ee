import { expect, test } from 'vitest';
import { helm, operator, useStack } from './support/stack.ts';

const stack = useStack();

test('helm test finds the installed operator well, and says what it looked at', async () => {
  const report = await helm(stack.bed, 'test', operator.name, '--timeout', '90s');
  expect(report).toMatch(/Phase: +Succeeded/);
  expect(report.match(/^ok: .*$/gm)).toHaveLength(3);
  const left = await stack.bed.kubectl('get', 'pods', '-n', operator.namespace, '-o', 'name');
  expect(left).not.toContain('-test');
});
