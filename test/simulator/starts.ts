import { write } from './api-server.ts';
import { IDLE } from './operator.ts';
import { comesToRest } from './settle.ts';
import { Census, ViolationError } from './simulation.ts';
import { BadEnd } from './tale.ts';
import { newModelDeployment } from './user.ts';
import type { Proxy, ProxyRole, World } from './world.ts';

/** Where stories begin. */
export type Start =
  | 'created'
  | 'created without Istio'
  | 'created on plain Services'
  | 'created without a mesh'
  | 'serving v1'
  | 'serving v1 on plain Services'
  | 'serving v1 without a mesh';

const START_MS = Date.UTC(2026, 0, 1);

function proxy(name: string, role: ProxyRole): Proxy {
  return { name, role, condition: 'Well', held: undefined };
}

const nothing: World = {
  nowMs: START_MS,
  lastId: 0,
  objects: new Map(),
  pods: [],
  cachedPods: [],
  proxies: [
    proxy('istio-system/gateway-a', 'Gateway'),
    proxy('istio-system/gateway-b', 'Gateway'),
    proxy('sidecar', 'Sidecar'),
    proxy('client without sidecar', 'Plain'),
    proxy('the EndpointSlices', 'Endpoints'),
  ],
  behaviours: { v1: 'Good', v2: 'Good', v3: 'Good' },
  platform: {
    istio: true,
    hasMesh: true,
    customMetrics: true,
    metricAnswers: true,
    reportsAnswer: true,
    cacheFrozen: false,
    userTraffic: true,
  },
  operator: IDLE,
  ledger: {
    virtualServiceWrites: 0,
    podsDeleted: new Map(),
    aborted: new Set(),
    hurt: new Map(),
    heard: new Map(),
    wanted: undefined,
    deleted: false,
  },
};

/** For clients inside the cluster alone, since gateways are Istio's. */
const plain = { pathPrefix: '/', timeout: '30s', retries: { attempts: 0 } };

function atRest(start: Start): World {
  const { world } = comesToRest(startOf(start), new Census());
  if (world === undefined) throw new Error('a new census knows no world');
  return world;
}

const worlds = new Map<Start, World>();

const makers: Readonly<Record<Start, () => World>> = {
  created: () => write(nothing, newModelDeployment(START_MS)),
  'created without Istio': () =>
    write({ ...nothing, platform: { ...nothing.platform, istio: false } }, newModelDeployment(START_MS)),
  'created on plain Services': () =>
    write(nothing, newModelDeployment(START_MS, { ...plain, router: 'Service' })),
  'created without a mesh': () =>
    write(
      { ...nothing, platform: { ...nothing.platform, istio: false, hasMesh: false } },
      newModelDeployment(START_MS, { ...plain, router: 'Automatic' }),
    ),
  'serving v1': () => atRest('created'),
  'serving v1 on plain Services': () => atRest('created on plain Services'),
  'serving v1 without a mesh': () => atRest('created without a mesh'),
};

/** A way to the beginning that ends badly is a story too. */
function made(start: Start): World {
  try {
    return makers[start]();
  } catch (error) {
    if (!(error instanceof ViolationError)) throw error;
    const from = start.replace('serving v1', 'created') as Start;
    throw new BadEnd({ start: from, events: [], thenRests: true }, error);
  }
}

export function startOf(start: Start): World {
  const known = worlds.get(start);
  if (known !== undefined) return known;
  const world = made(start);
  worlds.set(start, world);
  return world;
}
