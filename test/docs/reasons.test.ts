import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { standing } from '../../operator/status/claims.ts';
import { httpStatusOf } from '../../runtime/errors.ts';
import { repository } from '../bed/layout.ts';
import { declaredReasons } from './declared-reasons.ts';
import { tableRows } from './markdown.ts';

const page = await readFile(join(repository, 'docs/reasons.md'), 'utf8');
const rows = tableRows(page);
const told = rows.flatMap(([first = '']) => /^`(\w+)`$/.exec(first)?.[1] ?? []);
const declared = await declaredReasons();
const ofRequests = Object.keys(httpStatusOf);

describe('docs/reasons.md', () => {
  test('tells of every reason that the sources can write', () => {
    const silent = [...declared].filter(([reason]) => !told.includes(reason));
    expect(silent).toEqual([]);
    expect(told).toEqual(expect.arrayContaining(ofRequests));
  });

  test('tells of no reason that nothing writes', () => {
    expect(told.filter((reason) => !declared.has(reason) && !ofRequests.includes(reason))).toEqual([]);
  });

  test('tells of each reason once', () => {
    expect(told).toEqual([...new Set(told)]);
  });

  test('names reasons in CamelCase alone', () => {
    expect(told.filter((reason) => !/^[A-Z][A-Za-z]+$/.test(reason))).toEqual([]);
  });

  test('gives each error of the runtime the HTTP status that it has', () => {
    const statuses = rows.flatMap(([first = '', second = '']) =>
      /^\d{3}$/.test(second) ? [[first.replaceAll('`', ''), Number(second)] as const] : [],
    );
    expect(Object.fromEntries(statuses)).toEqual(httpStatusOf);
  });

  test('gives each phase the conditions that the operator gives it', () => {
    const word = (holds: boolean): string => (holds ? 'True' : 'False');
    const expected = Object.entries(standing).map(([phase, { ready, reconciling, stalled }]) => [
      phase,
      ...[ready, reconciling, stalled].map(word),
    ]);
    const phases = rows.filter(([first = '']) => first in standing).map((row) => row.slice(0, 4));
    expect(phases).toEqual(expected);
  });
});
