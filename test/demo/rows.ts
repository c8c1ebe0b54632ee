/** One line of `kubectl get modeldeployments -w`. */
export interface Row {
  /** As kubectl printed it. */
  readonly text: string;
  /** '' while kubectl shows none. */
  readonly phase: string;
  /** The candidate's share in percent; undefined while kubectl shows none. */
  readonly weight: number | undefined;
}

/** Cuts what kubectl prints into rows; the header and lines that differ from the last one in their age alone give none. */
export class RowReader {
  /** kubectl's own header; '' until it has come. */
  header = '';
  private unfinished = '';
  private last = '';

  read(chunk: string): Row[] {
    const lines = `${this.unfinished}${chunk}`.split('\n');
    this.unfinished = lines.pop() ?? '';
    return lines.flatMap((line) => this.readLine(line.trimEnd()));
  }

  private readLine(text: string): Row[] {
    const cells = text.split(/\s+/);
    const withoutAge = cells.slice(0, -1).join(' ');
    if (cells[0] === 'NAME') this.header = text;
    if (text === '' || cells[0] === 'NAME' || withoutAge === this.last) return [];
    this.last = withoutAge;
    // Empty cells are blanks only and columns widen as words come, so cells are told apart by their look.
    const weight = cells.find((cell) => /^\d+(\.\d+)?%$/.test(cell));
    const phase = cells.slice(1).find((cell) => /^[A-Z][a-z]+$/.test(cell) && cell !== 'Canary');
    return [{ text, phase: phase ?? '', weight: weight === undefined ? undefined : parseFloat(weight) }];
  }
}

/**
 * The header above a row: kubectl prints it once, and its columns widen later. Only a row without an empty cell shows
 * where they are; above any other one it stays as kubectl has printed it.
 */
export function headerAbove(header: string, row: string): string {
  const names = header.trim().split(/\s+/);
  const starts = [...row.matchAll(/\S+/g)].map(({ index }) => index);
  if (starts.length !== names.length) return header;
  return names.reduce((line, name, column) => `${line.padEnd(starts[column] ?? 0)}${name} `, '').trimEnd();
}

/** True when these weights appear in this order, whatever stands between them. */
export function passesThrough(rows: readonly Row[], weights: readonly number[]): boolean {
  let next = 0;
  for (const { weight } of rows) if (weight !== undefined && weight === weights[next]) next += 1;
  return next === weights.length;
}
