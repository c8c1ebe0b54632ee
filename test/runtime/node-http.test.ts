import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';

const server = new URL('../../runtime/runtime-server.ts', import.meta.url).href;

/** Built-in modules that a program has loaded once it has imported this. */
function loadedBy(url: string): string[] {
  const program = `await import(${JSON.stringify(url)}); console.log(JSON.stringify(process.moduleLoadList))`;
  const output = execFileSync(process.execPath, ['--input-type=module', '--eval', program], {
    encoding: 'utf8',
  });
  return JSON.parse(output) as string[];
}

describe('the server', () => {
  it('loads no second HTTP client only because it speaks HTTP', () => {
    const modules = loadedBy(server);
    expect(modules).toContain('NativeModule http');
    expect(modules.filter((name) => name.includes('undici'))).toEqual([]);
  });
});
