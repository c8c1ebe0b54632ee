import { readFileSync } from 'node:fs';

const dockerfile = readFileSync(new URL('../../runtime/Dockerfile', import.meta.url), 'utf8');
/** What users run is the last stage; the others make its parts. */
const lastStage = dockerfile.slice(dockerfile.lastIndexOf('\nFROM '));
const ENTRY_POINT = /^ENTRYPOINT (\["node".*\])$/mu;
const ENVIRONMENT = /^ENV ((?:.*\\\n)*.*)$/gmu;

/** What the image of the runtime gives to Node before the program, so that tests and benchmarks run it as users do. */
export function runtimeNodeOptions(): readonly string[] {
  const found = ENTRY_POINT.exec(lastStage)?.[1];
  if (found === undefined) throw new Error('runtime/Dockerfile has no ENTRYPOINT of Node');
  const [, ...rest] = JSON.parse(found) as string[];
  return rest.slice(0, -1);
}

/** The environment that the image sets, for the same reason. */
export function runtimeEnvironment(): Readonly<Record<string, string>> {
  const settings = [...lastStage.matchAll(ENVIRONMENT)].flatMap(([, text = '']) =>
    text.split(/[\s\\]+/u).filter((word) => word !== ''),
  );
  if (settings.length === 0) throw new Error('runtime/Dockerfile sets no ENV');
  return Object.fromEntries(
    settings.map((setting) => {
      const at = setting.indexOf('=');
      return [setting.slice(0, at), setting.slice(at + 1)];
    }),
  );
}
