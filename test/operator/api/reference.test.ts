import { describe, expect, test } from 'vitest';
import { buildReference } from '../../../scripts/reference.ts';

const page = buildReference();

/** The row of a field in the chapter of its object, as its cells. */
function cellsOf(chapter: string, field: string): string[] {
  const [, rest = ''] = page.split(`\n## ${chapter}\n`);
  const [own = ''] = rest.split('\n## ');
  const row = own.split('\n').find((line) => line.startsWith(`| \`${field}\``));
  return (row ?? '').split(' | ').map((cell) => cell.replace(/^\| | \|$/g, '').trim());
}

describe('the reference page', () => {
  test('tells type, default and meaning of a field', () => {
    const [name, type, standard, , meaning] = cellsOf('spec.scaling', 'maxReplicas');
    expect([name, type, standard]).toEqual(['`maxReplicas`', 'integer, 1 to 1000', '`10`']);
    expect(meaning).toBe('The most pods of one revision.');
  });

  test('says what is required, which a field with a default is not', () => {
    expect(cellsOf('spec', 'model')[0]).toBe('`model` (required)');
    expect(cellsOf('spec.rollout', 'strategy')[0]).toBe('`strategy`');
  });

  test('lists the words that a field takes', () => {
    expect(cellsOf('spec.rollout', 'strategy')[1]).toBe(
      '`Canary`, `BlueGreen`, `Shadow`, `RollingUpdate`, `Recreate`',
    );
  });

  test('gives the example and the rule of a text with a form', () => {
    const cells = cellsOf('spec.resources.gpu', 'mig');
    expect(cells[3]).toBe('`1g.10gb`');
    expect(cells[4]).toContain('spec.resources.gpu.mig must be a MIG profile');
  });

  test('has a chapter for the entries of a list', () => {
    expect(cellsOf('spec.rollout.canary.steps[]', 'weight')[1]).toBe('integer, 0 to 100');
  });

  test('leaves no cell of the meaning empty', () => {
    const rows = page.split('\n').filter((line) => line.startsWith('| `'));
    expect(rows.length).toBeGreaterThan(100);
    expect(rows.filter((row) => /\|\s*\|$/.test(row))).toEqual([]);
  });
});
