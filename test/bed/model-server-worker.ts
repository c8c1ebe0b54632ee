import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createServer, type ServerResponse } from 'node:http';
import { join, normalize } from 'node:path';
import { pipeline } from 'node:stream/promises';

/** The process of model-server.ts: prints the port that it listens on, and ends when its input closes. */
const [, , folder = '', address = '', port = ''] = process.argv;

const server = createServer((request, response) => {
  // normalize resolves every `..` against the root before the folder is put in front.
  const path = normalize(decodeURIComponent(new URL(request.url ?? '/', 'http://models').pathname));
  sendFile(join(folder, path), response).catch((error: unknown) => response.destroy(error as Error));
});

async function sendFile(file: string, response: ServerResponse): Promise<void> {
  const size = await stat(file).then(
    (found) => (found.isFile() ? found.size : undefined),
    () => undefined,
  );
  if (size === undefined) {
    response.writeHead(404).end('no such model\n');
    return;
  }
  response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': size });
  await pipeline(createReadStream(file), response);
}

server.listen(Number(port), address, () => {
  const bound = server.address();
  if (bound !== null && typeof bound !== 'string') console.log(bound.port);
});
process.stdin.resume();
process.stdin.on('close', () => process.exit(0));
