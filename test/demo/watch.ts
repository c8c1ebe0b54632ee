import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Bed } from '../bed/bed.ts';
import { part } from '../bed/programs.ts';
import { RowReader, type Row } from './rows.ts';

export interface Watch {
  /** All rows so far. */
  readonly rows: readonly Row[];
  /** As kubectl has printed it; '' until its first row. */
  readonly header: string;
  stop(): Promise<void>;
}

export const watchWords = ['get', 'modeldeployments', '-w'] as const;

/** A real kubectl whose lines are handed on as they come; it ends with this process. */
export function startWatch(bed: Bed, namespace: string, onRow: (row: Row) => void): Watch {
  const rows: Row[] = [];
  const reader = new RowReader();
  const child = spawn(part('kubectl'), [`--kubeconfig=${bed.kubeconfig}`, '-n', namespace, ...watchWords], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    for (const row of reader.read(chunk)) {
      rows.push(row);
      onRow(row);
    }
  });
  const end = (): boolean => child.kill();
  process.once('exit', end);
  return {
    rows,
    get header() {
      return reader.header;
    },
    stop: async () => {
      process.off('exit', end);
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, 'exit');
      end();
      await ended;
    },
  };
}
