import type { LookupAddress } from 'node:dns';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { isIP, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { AddressGuard, type Resolve } from '../../../../runtime/model-source/http/address-guard.ts';
import { parseAllowList } from '../../../../runtime/model-source/http/allow-list.ts';
import { HttpClient } from '../../../../runtime/model-source/http/client.ts';
import { fetchModel, type ModelSource } from '../../../../runtime/model-source/model-source.ts';
import { failureOf, modelSource } from '../source.ts';
import { Canary } from './canary.ts';
import { hostileHosts, resolutions } from './hostile-hosts.ts';

/** The one address that this platform allows. */
const FRONT = '127.0.0.2';
const rows = Object.entries(hostileHosts).flatMap(([what, hosts]) => hosts.map((host) => ({ host, what })));

/** A header can hold these only. */
const plainRows = rows.filter(({ host }) => /^[ -~]+$/u.test(host));

let folder = '';
let canary: Canary;
let front: Server;
let redirectTo = '';
/** Requests that the allowed server got. */
let served = 0;

beforeAll(async () => {
  front = createServer((_request, response) => {
    served++;
    response.writeHead(302, { location: redirectTo }).end();
  });
  front.listen(0, FRONT);
  await once(front, 'listening');
});
afterAll(() => front.close());
beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'headgate-guard-'));
  served = 0;
  canary = new Canary();
  await canary.start();
});
afterEach(() => {
  canary.stop();
  rmSync(folder, { recursive: true });
});

/** Names that nothing is said of lead to this machine, where the canary sits. */
const resolve: Resolve = (host) => Promise.resolve([addressOf(resolutions[host] ?? '127.0.0.1')]);

function addressOf(address: string): LookupAddress {
  return { address, family: isIP(address) };
}

function fetchThrough(given: Partial<ModelSource> & { uri: string }, resolver = resolve) {
  const allowed = parseAllowList(FRONT);
  const client = new HttpClient(new AddressGuard(allowed, resolver));
  return failureOf(fetchModel(modelSource({ downloadDirectory: folder, allowed, ...given }), client));
}

function frontUrl(host = FRONT): string {
  return `http://${host}:${(front.address() as AddressInfo).port}/model.onnx`;
}

describe('a model at an address that is not allowed', { timeout: 60_000 }, () => {
  it('comes in enough spellings', () => {
    expect(new Set(rows.map(({ host }) => host)).size).toBe(rows.length);
    expect(rows.length).toBeGreaterThanOrEqual(100);
  });

  it.each(rows)('is refused at http://$host as $what, without a connection', async ({ host, what }) => {
    const failure = await fetchThrough({ uri: `http://${host}:${canary.port}/model.onnx` });
    expect(failure.reason).toBe('ModelSourceForbidden');
    expect(failure.message).toContain(`is ${what}`);
    expect(failure.message).toContain('modelSources.allow');
    expect([canary.reached, canary.opened, readdirSync(folder)]).toEqual([0, 0, []]);
  });

  it.each(plainRows)('is refused when an allowed server redirects to $host', async ({ host }) => {
    redirectTo = `http://${host}:${canary.port}/model.onnx`;
    const failure = await fetchThrough({ uri: frontUrl() });
    expect(failure.reason).toBe('ModelSourceForbidden');
    expect(failure.message).toContain('redirects to');
    expect([canary.reached, canary.opened]).toEqual([0, 1]);
  });

  it.each(rows)(
    'is refused when an allowed name changes to what $host means',
    async ({ host }) => {
      // The same server as before, as far as a redirect can tell.
      redirectTo = '/again.onnx';
      const literal = new URL(`http://${host}`).hostname.replace(/^\[(.*)\]$/u, '$1').replace(/[.]$/u, '');
      const [later = addressOf(literal)] = isIP(literal) === 0 ? await resolve(literal) : [];
      const answers = [FRONT, later.address];
      const rebinding: Resolve = () => Promise.resolve([addressOf(answers.shift() ?? later.address)]);
      const failure = await fetchThrough({ uri: frontUrl('store.example.com') }, rebinding);
      expect(failure.reason).toBe('ModelSourceForbidden');
      expect(canary.reached).toBe(0);
      // One connection, and it went to the address that was looked at.
      expect(served).toBe(1);
      expect(answers).toEqual([]);
      expect(canary.opened).toBe(1);
    },
    60_000,
  );

  it('is refused when only one of several addresses of a name is forbidden', async () => {
    const both: Resolve = () => Promise.resolve([addressOf('8.8.8.8'), addressOf('10.0.0.1')]);
    const failure = await fetchThrough({ uri: `https://store.example.com:${canary.port}/model.onnx` }, both);
    expect(failure.message).toContain('10.0.0.1 is a private address');
    expect(canary.opened).toBe(0);
  });

  const hidden = 'http://127.0.0.1';
  const aws = modelSource({ uri: '', downloadDirectory: '' }).aws;
  const elsewhere: readonly [string, (port: number) => Partial<ModelSource> & { uri: string }][] = [
    [
      'an S3 endpoint',
      (port) => ({
        uri: 's3://bucket/model.onnx',
        s3: { endpoint: `${hidden}:${port}`, region: 'x', pathStyle: true },
      }),
    ],
    [
      'a Google endpoint',
      (port) => ({
        uri: 'gs://bucket/model.onnx',
        gs: { endpoint: `${hidden}:${port}`, metadataHost: undefined },
      }),
    ],
    ['a registry', (port) => ({ uri: `oci://127.0.0.1:${port}/fraud@sha256:${'0'.repeat(64)}` })],
    [
      'a token service',
      (port) => ({
        uri: 's3://bucket/model.onnx',
        credentials: 'WorkloadIdentity',
        aws: {
          ...aws,
          roleArn: 'arn:aws:iam::123456789012:role/models',
          webIdentityTokenFile: '/etc/hostname',
          tokenServiceUrl: `${hidden}:${port}/`,
        },
      }),
    ],
    [
      'a metadata server',
      (port) => ({
        uri: 'gs://bucket/model.onnx',
        credentials: 'WorkloadIdentity',
        gs: { endpoint: undefined, metadataHost: `127.0.0.1:${port}` },
      }),
    ],
  ];
  it.each(elsewhere)('is refused behind %s too', async (_what, given) => {
    const failure = await fetchThrough(given(canary.port));
    expect(failure.reason).toBe('ModelSourceForbidden');
    expect([canary.reached, canary.opened]).toEqual([0, 0]);
  });

  it('is refused behind an agent for credentials that is not that of Amazon EKS', async () => {
    const failure = await fetchThrough({
      uri: 's3://bucket/model.onnx',
      credentials: 'WorkloadIdentity',
      aws: {
        ...aws,
        containerCredentialsUrl: `${hidden}:${canary.port}/v1/credentials`,
        containerTokenFile: '/etc/hostname',
      },
    });
    expect(failure.reason).toBe('ConfigurationInvalid');
    expect([canary.reached, canary.opened]).toEqual([0, 0]);
  });
});

describe('the guard', () => {
  const admit = (allow: string, host: string, address: string): Promise<string> =>
    new AddressGuard(parseAllowList(allow), () => Promise.resolve([addressOf(address)]))
      .admit(new URL(`https://${host}/`))
      .then(
        (addresses) => addresses.map((found) => found.address).join(' '),
        (error: unknown) => (error as { reason: string }).reason,
      );

  it.each([
    ['8.8.8.8', ''],
    ['172.32.0.1', ''],
    ['100.128.0.1', ''],
    ['169.253.255.255', ''],
    ['[2600:1f18::1]', ''],
    ['[64:ff9b::808:808]', ''],
    ['[::ffff:808:808]', ''],
    ['10.1.2.3', '10.0.0.0/8'],
    ['10.1.2.3', '192.168.0.0/16, 10.1.2.3'],
    ['[fd12::7]', 'fd12::/16'],
    ['[::ffff:a01:203]', '10.0.0.0/8'],
    ['127.0.0.1', '127.0.0.0/8'],
    ['169.254.169.254', '169.254.169.254'],
  ])('admits %s where "%s" is allowed', async (host, allow) => {
    expect(await admit(allow, host, '')).toBe(host.replace(/[[\]]/gu, ''));
  });

  it.each([
    ['minio.storage.svc.cluster.local', '10.96.0.9', 'minio.storage.svc.cluster.local'],
    ['minio.storage.svc.cluster.local', '10.96.0.9', '10.96.0.0/12'],
    ['MODELS.corp.example.com', '10.2.0.9', '*.CORP.example.com'],
    ['models.example.com', '93.184.216.34', ''],
  ])('admits %s at %s where "%s" is allowed', async (host, address, allow) => {
    expect(await admit(allow, host, address)).toBe(address);
  });

  it.each([
    ['corp.example.com', '10.2.0.9', '*.corp.example.com', 'the domain itself is no name below it'],
    ['evilcorp.example.com', '10.2.0.9', '*.corp.example.com', 'a name that only ends alike'],
    ['models.example.com', '127.0.0.1', 'models.example.com', 'a name never allows what is local'],
    ['models.example.com', '169.254.169.254', '*.example.com', 'a name never allows what is local'],
    ['api.default.svc', '93.184.216.34', '', 'a name of the cluster, wherever it leads'],
    ['models.example.com', '10.2.0.9', '10.1.0.0/16', 'another range'],
  ])('refuses %s at %s where "%s" is allowed: %4$s', async (host, address, allow) => {
    expect(await admit(allow, host, address)).toBe('ModelSourceForbidden');
  });

  it.each([
    '10.0.0.0/33',
    '10.0.0/8',
    '300.0.0.1',
    'fd00::/129',
    '*',
    '*.',
    'a b/c',
    'http://x',
    'x/y',
    '10.0.0.0/-1',
    '1.2.3',
  ])('cannot be told to allow %s', (entry) => {
    expect(() => parseAllowList(entry)).toThrow(RangeError);
  });
});
