import { readFile } from 'node:fs/promises';
import type { RedisClientOptions } from '@redis/client';
import type { RedisSettings } from './settings.ts';

/** What this server needs of a connection. */
export interface RedisConnection {
  get(key: string): Promise<Buffer | null>;
  /** Of all that ask for a key at one time, one gets its value. */
  getAndDelete(key: string): Promise<Buffer | null>;
  set(key: string, value: Buffer, ttlMs: number): Promise<unknown>;
  close(): void;
}

export type Connect = (settings: RedisSettings) => Promise<RedisConnection>;

const CONNECT_TIMEOUT_MS = 2000;
const LONGEST_PAUSE_MS = 5000;
const FIRST_PAUSE_MS = 100;

function pauseMs(retries: number): number {
  return Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(retries, 10));
}

/** A Secret may get another value, of which the kubelet tells by the file alone. */
function readAnew(passwordFile: string): NonNullable<RedisClientOptions['credentialsProvider']> {
  const credentials = async (): Promise<{ password: string }> => ({
    password: (await readFile(passwordFile, 'utf8')).trim(),
  });
  return { type: 'async-credentials-provider', credentials };
}

/** A connection that comes back by itself; meanwhile whatever is asked fails at once. */
export async function connectToRedis({ url, passwordFile }: RedisSettings): Promise<RedisConnection> {
  // Only who uses it pays for loading it.
  const { createClient, RESP_TYPES } = await import('@redis/client');
  const client = createClient({
    url,
    ...(passwordFile !== undefined && { credentialsProvider: readAnew(passwordFile) }),
    disableOfflineQueue: true,
    socket: { connectTimeout: CONNECT_TIMEOUT_MS, reconnectStrategy: pauseMs },
  });
  // Each failed question tells of it too.
  client.on('error', () => undefined);
  client.connect().catch(() => undefined);
  const inBytes = client.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer });
  return {
    get: (key) => inBytes.get(key),
    getAndDelete: (key) => inBytes.getDel(key),
    set: (key, value, ttlMs) => client.set(key, value, { expiration: { type: 'PX', value: ttlMs } }),
    close: () => client.destroy(),
  };
}
