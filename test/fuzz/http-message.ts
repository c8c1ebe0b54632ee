/** A request as it goes over the wire; `body` is what follows the empty line, whatever the headers say of it. */
export interface HttpMessage {
  readonly method: string;
  readonly path: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: Buffer;
}

export function encodeMessage({ method, path, headers, body }: HttpMessage): Buffer {
  const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.concat([Buffer.from(`${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n`, 'latin1'), body]);
}
