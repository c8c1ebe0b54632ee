import type { LookupAddress } from 'node:dns';
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { StartFailure } from '../../errors.ts';
import { TransientError } from '../persist.ts';
import { placeOf } from './address.ts';
import { allowsAddress, allowsName, type AllowList } from './allow-list.ts';

export type Resolve = (host: string) => Promise<readonly LookupAddress[]>;

/** Names that mean something inside of the machine or the cluster only. */
const INNER_NAMES = /(^|[.])(localhost|svc|local|internal)$/u;

async function resolveBySystem(host: string): Promise<readonly LookupAddress[]> {
  return await lookup(host, { all: true });
}

/**
 * Decides which hosts may be spoken to. What it answers is what has to be connected to: a name that is asked for twice
 * may resolve to something else the second time.
 */
export class AddressGuard {
  readonly #allowed: AllowList;
  readonly #resolve: Resolve;

  constructor(allowed: AllowList, resolve: Resolve = resolveBySystem) {
    this.#allowed = allowed;
    this.#resolve = resolve;
  }

  /** The addresses of a URL's host. Throws unless each of them may be spoken to. */
  async admit({ hostname }: URL): Promise<readonly LookupAddress[]> {
    const host = plainHost(hostname);
    const addresses = await this.#addressesOf(host);
    for (const { address } of addresses) {
      const objection = this.#objection(host, address);
      if (objection !== undefined) refuse(host, objection);
    }
    return addresses;
  }

  /** Whether the platform has allowed a host by its name. */
  knows({ hostname }: URL): boolean {
    return allowsName(this.#allowed, plainHost(hostname));
  }

  async #addressesOf(host: string): Promise<readonly LookupAddress[]> {
    const family = isIP(host);
    if (family !== 0) return [{ address: host, family }];
    const addresses = await this.#resolve(host).catch((error: unknown) => {
      throw new TransientError(
        `${host} cannot be resolved (${(error as NodeJS.ErrnoException).code ?? 'no answer'})`,
      );
    });
    if (addresses.length === 0) throw new TransientError(`${host} has no address`);
    return addresses;
  }

  /** A name may be allowed what is private. What is local has to be allowed as a range, which nobody does by mistake. */
  #objection(host: string, address: string): string | undefined {
    if (allowsAddress(this.#allowed, address)) return undefined;
    const { reach, what } = placeOf(address);
    if (reach === 'Local') return `${address} is ${what}`;
    if (allowsName(this.#allowed, host)) return undefined;
    if (reach === 'Private') return `${address} is ${what}, as those of the cluster are`;
    return INNER_NAMES.test(host) ? 'it is a name inside of a machine or cluster' : undefined;
  }
}

/** As it is compared: without the brackets of an IPv6 address and the dot that ends a full name. */
function plainHost(hostname: string): string {
  return hostname
    .replace(/^\[(.*)\]$/u, '$1')
    .replace(/[.]$/u, '')
    .toLowerCase();
}

function refuse(host: string, objection: string): never {
  throw new StartFailure(
    'ModelSourceForbidden',
    `models may not be loaded from ${host}: ${objection}; whoever runs the platform can allow it with modelSources.allow of Headgate's chart`,
  );
}
