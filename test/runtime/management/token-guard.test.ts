import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TokenGuard } from '../../../runtime/management/token-guard.ts';
import { RuntimeProcess, type Answer } from '../../support/runtime-process.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'headgate-token-'));
const tokenFile = path.join(folder, 'token');
const TOKEN = 'f3a9c2b17d8e4f60a1b2';
afterAll(() => rmSync(folder, { recursive: true }));

const open = ['/livez', '/readyz', '/metrics', '/headgate/report'];
const guarded = [
  ['GET', '/headgate/outputs'],
  ['GET', '/HEADGATE/Outputs/'],
  ['GET', '/headgate/drift'],
  ['GET', '/headgate/drift/baseline'],
  ['POST', '/headgate/records/erase'],
  ['GET', '/nothing'],
] as const;

describe('a management port with a token', { timeout: 60_000 }, () => {
  let runtime: RuntimeProcess;
  beforeAll(async () => {
    writeFileSync(tokenFile, `${TOKEN}\n`);
    runtime = await RuntimeProcess.start({ HEADGATE_MANAGEMENT_TOKEN_FILE: tokenFile });
  }, 60_000);
  afterAll(() => runtime.stop());

  const ask = (method: string, address: string, authorization?: string): Promise<Answer> =>
    runtime.askManagement(address, {
      method,
      ...(authorization !== undefined && { headers: { authorization } }),
    });

  it.each(open)('leaves %s to the kubelet, Prometheus and the operator, who have none', async (address) => {
    expect((await ask('GET', address)).status).toBe(200);
    expect((await ask('GET', address, 'Bearer of-something-else')).status).toBe(200);
  });

  it.each(guarded)('asks for it: %s %s', async (method, address) => {
    const answer = await ask(method, address);
    expect([answer.status, answer.headers['www-authenticate']]).toEqual([401, 'Bearer realm="headgate"']);
    expect(JSON.parse(answer.text)).toEqual({ error: expect.stringContaining('Bearer') as string });
    expect((await ask(method, address, `Bearer ${TOKEN}`)).status).not.toBe(401);
  });

  it.each([
    'Bearer',
    'Bearer ',
    `Bearer ${TOKEN.slice(1)}`,
    `Bearer ${TOKEN}x`,
    `Bearer ${TOKEN.toUpperCase()}`,
    `Bearer ${TOKEN} ${TOKEN}`,
    `Basic ${TOKEN}`,
    TOKEN,
  ])('is not satisfied by %s', async (authorization) => {
    const answer = await ask('GET', '/headgate/outputs', authorization);
    expect([answer.status, answer.text]).toEqual([401, expect.not.stringContaining('entries')]);
  });

  it('says that a token was there and is the wrong one', async () => {
    const answer = await ask('GET', '/headgate/outputs', 'Bearer wrong');
    expect(answer.headers['www-authenticate']).toBe('Bearer realm="headgate", error="invalid_token"');
  });

  it('follows the file, and lets nobody in while it holds none', async () => {
    const statusOf = async (token: string): Promise<number> =>
      (await ask('GET', '/headgate/outputs', `bearer ${token}`)).status;
    const renewed = TOKEN.replaceAll('a', 'b');
    writeFileSync(tokenFile, renewed);
    expect([await statusOf(TOKEN), await statusOf(renewed)]).toEqual([401, 200]);
    rmSync(tokenFile);
    expect([await statusOf(renewed), (await ask('GET', '/readyz')).status]).toEqual([500, 200]);
    writeFileSync(tokenFile, TOKEN);
    expect(await statusOf(TOKEN)).toBe(200);
  });
});

describe('a token that cannot be one', { timeout: 60_000 }, () => {
  it.each([
    ['is empty', ''],
    ['is short', 'sesame'],
    ['has spaces', 'one two three four five'],
    ['has several lines', `${TOKEN}\n${TOKEN}`],
  ])('is refused: it %s', async (_, text) => {
    writeFileSync(tokenFile, text);
    await expect(new TokenGuard(tokenFile).readToken()).rejects.toMatchObject({
      reason: 'ConfigurationInvalid',
      message: expect.stringContaining('openssl rand -hex 32') as string,
    });
  });

  it('ends the start of a server, which never listens without it', async () => {
    const runtime = new RuntimeProcess({ HEADGATE_MANAGEMENT_TOKEN_FILE: path.join(folder, 'missing') });
    expect(await runtime.exitCode()).toBe(1);
    expect(runtime.lastWords).toEqual({
      reason: 'ConfigurationInvalid',
      message: expect.stringMatching(/cannot be read from .*missing \(ENOENT\)/u) as string,
    });
    await runtime.stop();
  });
});
