import { request } from 'node:http';

/**
 * One GET of a gateway or pod with any Host header, on a connection of its own. fetch could not set the header.
 */
export function get(
  address: string,
  port: number,
  path: string,
  host: string,
): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const call = request(
      { host: address, port, path, headers: { host }, timeout: 1_000, agent: false },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString('utf8') }),
        );
      },
    );
    call.on('timeout', () => call.destroy(new Error(`${address}:${port} gave no answer in 1 s`)));
    call.on('error', reject);
    call.end();
  });
}
