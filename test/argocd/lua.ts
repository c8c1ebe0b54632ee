import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { part } from '../bed/programs.ts';

/** What a script returns for an object, run as Argo CD runs it: the same interpreter with the same few libraries. */
export async function runLua(script: string, object: unknown): Promise<unknown> {
  const child = spawn(part('lua-runner'), { stdio: ['pipe', 'pipe', 'pipe'] });
  child.stdin.end(JSON.stringify({ script, obj: object }));
  const [answer, complaint] = await Promise.all([text(child.stdout), text(child.stderr)]);
  if (complaint !== '') throw new Error(complaint.trim());
  return JSON.parse(answer) as unknown;
}
