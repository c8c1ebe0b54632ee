import { ports } from './layout.ts';
import type { Bed } from './bed.ts';

/** istiod's own account: it answers debug questions only to its own machine, so it is asked from inside. */
export async function askIstiod(bed: Bed, path: string): Promise<string> {
  const script = 'fetch(process.argv[1]).then((r) => r.text()).then((t) => process.stdout.write(t))';
  const url = `http://127.0.0.1:${ports.istiodMonitoring}${path}`;
  return await bed.inside(process.execPath, '-e', script, url);
}

/** An answer of Envoy's admin port, such as `/clusters`, `/config_dump` or `/stats`. */
export async function askEnvoy(address: string, path: string): Promise<string> {
  const response = await fetch(`http://${address}:15000${path}`, { signal: AbortSignal.timeout(5_000) });
  return await response.text();
}

/** The names of the clusters that an Envoy has warmed up. */
export async function clustersOf(address: string): Promise<string[]> {
  const text = await askEnvoy(address, '/clusters');
  return [...new Set(text.split('\n').map((line) => line.split('::')[0] ?? ''))]
    .filter((name) => name !== '')
    .sort();
}
