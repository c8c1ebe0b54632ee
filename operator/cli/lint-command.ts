import { lint, type Finding } from '../lint/lint.ts';
import { readManifests } from './files.ts';

/** What a command prints, and the exit code: 0 all is well, 1 there are findings. */
export interface Report {
  readonly lines: readonly string[];
  readonly exitCode: 0 | 1;
}

export async function lintCommand(paths: readonly string[]): Promise<Report> {
  const files = await readManifests(paths);
  const results = files.map(({ name, text }) => ({ name, ...lint(text) }));
  const findings = results.flatMap(({ name, findings: found }) =>
    found.map((finding) => lineOf(name, finding)),
  );
  const objects = results.reduce((total, result) => total + result.objects, 0);
  const summary = `${count(objects, 'object')} in ${count(files.length, 'file')}: ${count(findings.length, 'mistake')}`;
  return { lines: [...findings, summary], exitCode: findings.length === 0 ? 0 : 1 };
}

/** As compilers write it, so that editors and CI systems find the place. */
function lineOf(file: string, { line, column, field, message }: Finding): string {
  // Most sentences begin with the field that they are about.
  const subject = field === '' || message.startsWith(field) ? '' : `${field}: `;
  return `${file}:${line}:${column}: ${subject}${message}`;
}

function count(amount: number, noun: string): string {
  return `${amount} ${noun}${amount === 1 ? '' : 's'}`;
}
