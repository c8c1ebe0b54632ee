import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { StartFailure } from '../../errors.ts';

/** A key of the mounted Secret; its text appears in no message. */
export async function readSecretKey(directory: string, key: string): Promise<string> {
  const text = await readOptionalSecretKey(directory, key);
  if (text !== undefined) return text;
  throw new StartFailure(
    'ConfigurationInvalid',
    `the Secret that spec.model.credentials.secretName names has no key ${key}, or an empty one; docs/model-sources.md lists the keys`,
  );
}

export async function readOptionalSecretKey(directory: string, key: string): Promise<string | undefined> {
  const text = await readFile(path.join(directory, key), 'utf8').catch(() => '');
  return text.trim() === '' ? undefined : text.trim();
}

export interface Expiring {
  /** Undefined: for ever. */
  readonly expiresAtMs: number | undefined;
}

/** What is about to expire is asked for anew. */
const MARGIN_MS = 60_000;

/** Keeps a token until it is about to expire. */
export class TokenCache<T extends Expiring> {
  readonly #obtain: () => Promise<T>;
  #kept: T | undefined;

  constructor(obtain: () => Promise<T>) {
    this.#obtain = obtain;
  }

  async read(): Promise<T> {
    const { expiresAtMs = Infinity } = this.#kept ?? { expiresAtMs: 0 };
    if (this.#kept === undefined || expiresAtMs - MARGIN_MS < Date.now()) this.#kept = await this.#obtain();
    return this.#kept;
  }
}
