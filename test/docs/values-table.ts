import { parse } from 'yaml';

/** One value of the chart: its path as `--set` takes it, its default (none for a group of values), its comment. */
export type ValueRow = readonly [path: string, byDefault: string, meaning: string];

/** The rows of the README's table of values, in the order of values.yaml. */
export function valueRows(valuesYaml: string): ValueRow[] {
  const rows: ValueRow[] = [];
  let comment: string[] = [];
  let parents: readonly string[] = [];
  for (const line of valuesYaml.split('\n')) {
    const [, words] = /^\s*# ?(.*)$/.exec(line) ?? [];
    const [, indent = '', key] = /^( *)([^\s#][^:]*):/.exec(line) ?? [];
    if (words !== undefined) comment.push(words);
    if (key === undefined) continue;
    const keys = [...parents.slice(0, indent.length / 2), key];
    rows.push([code(keys.map(escaped).join('.')), defaultOf(line), comment.join(' ').replaceAll('|', '\\|')]);
    parents = keys;
    comment = [];
  }
  return rows;
}

function defaultOf(line: string): string {
  const text = line.slice(line.indexOf(':') + 1).trim();
  return text === '' ? '' : code(JSON.stringify(parse(text)).replaceAll(/^"(.+)"$/g, '$1'));
}

/** Dots within one key are written with a backslash before them. */
function escaped(key: string): string {
  return key.replaceAll('.', '\\.');
}

function code(text: string): string {
  return `\`${text}\``;
}
