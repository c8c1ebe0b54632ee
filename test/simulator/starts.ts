import { write } from './api-server.ts';
import { IDLE } from './operator.ts';
import { comesToRest } from './settle.ts';
import { Census } from './simulation.ts';
import { newModelDeployment } from './user.ts';
import type { Proxy, ProxyRole, World } from './world.ts';

/** Where stories begin. */
export type Start = 'created' | 'created without Istio' | 'serving v1';

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

function atRest(): World {
  const { world } = comesToRest(startOf('created'), new Census());
  if (world === undefined) throw new Error('a new census knows no world');
  return world;
}

const worlds = new Map<Start, World>();

const makers: Readonly<Record<Start, () => World>> = {
  created: () => write(nothing, newModelDeployment(START_MS)),
  'created without Istio': () =>
    write({ ...nothing, platform: { ...nothing.platform, istio: false } }, newModelDeployment(START_MS)),
  'serving v1': atRest,
};

export function startOf(start: Start): World {
  const known = worlds.get(start);
  if (known !== undefined) return known;
  const world = makers[start]();
  worlds.set(start, world);
  return world;
}
