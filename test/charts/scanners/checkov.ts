import { part } from '../../bed/programs.ts';
import { runAnyway } from './run-anyway.ts';
import type { Finding, Scanner } from './scanner.ts';

interface Report {
  readonly results: {
    readonly failed_checks: readonly { readonly check_id: string; readonly resource: string }[];
    readonly parsing_errors: readonly string[];
  };
}

export const checkov: Scanner = {
  name: 'checkov',
  async scan(file) {
    const words = [
      '--file',
      file,
      '--framework',
      'kubernetes',
      '--output',
      'json',
      '--skip-download',
      '--compact',
    ];
    const { results } = JSON.parse(await runAnyway(part('checkov'), words)) as Report;
    if (results.parsing_errors.length > 0) throw new Error(`checkov cannot read ${file}`);
    return results.failed_checks.map(({ check_id, resource }): Finding => {
      // Kind.namespace.name, of a pod within it with its labels behind.
      const [kind = '', , name = ''] = resource.split('.');
      return { scanner: 'checkov', rule: check_id, object: `${kind}/${name}` };
    });
  },
};
