import { createHash, timingSafeEqual } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { RequestHandler } from 'express';
import { StartFailure } from '../errors.ts';

/** A token68 of RFC 7235, long enough that nobody guesses it. */
const TOKEN = /^[A-Za-z0-9\-._~+/]{16,}=*$/u;
const BEARER = /^Bearer +(\S+)$/iu;
const CHALLENGE = 'Bearer realm="headgate"';

function digestOf(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

/** Lets through whoever shows the token of a file. */
export class TokenGuard {
  readonly #file: string;

  constructor(file: string) {
    this.#file = file;
  }

  /** Read each time, since the kubelet renews what is mounted. Throws StartFailure. */
  async readToken(): Promise<string> {
    const text = await readFile(this.#file, 'utf8').catch((cause: unknown) => {
      const code = (cause as NodeJS.ErrnoException).code ?? 'unreadable';
      throw new StartFailure(
        'ConfigurationInvalid',
        `the token of the management port cannot be read from ${this.#file} (${code}); give the Secret of spec.runtime.management the key token`,
        { cause },
      );
    });
    const token = text.trim();
    if (TOKEN.test(token)) return token;
    throw new StartFailure(
      'ConfigurationInvalid',
      `the token in ${this.#file} is not what is expected; take at least 16 letters, digits and -._~+/, as 'openssl rand -hex 32' prints them`,
    );
  }

  get handler(): RequestHandler {
    return async (request, response, next) => {
      const shown = BEARER.exec(request.headers.authorization ?? '')?.[1];
      const isKnown = shown !== undefined && (await this.#isToken(shown));
      if (isKnown) {
        next();
        return;
      }
      const challenge = shown === undefined ? CHALLENGE : `${CHALLENGE}, error="invalid_token"`;
      response.status(401).set('www-authenticate', challenge).json({
        error: 'this needs the header authorization: Bearer, with the token of the management port',
      });
    };
  }

  /** Digests have one length, so that the time tells neither the token's own nor where a guess is wrong. */
  async #isToken(shown: string): Promise<boolean> {
    return timingSafeEqual(digestOf(shown), digestOf(await this.readToken()));
  }
}
