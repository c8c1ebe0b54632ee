import { isIP, isIPv4, type BlockList } from 'node:net';
import { isWithin, subnetList } from './address.ts';

/** What the platform allows beyond public addresses. */
export interface AllowList {
  readonly ranges: BlockList;
  /** Lower case; `*.example.com` stands for every name below example.com. */
  readonly names: readonly string[];
}

const NAME_PATTERN = /^([*][.])?[a-z0-9]([-a-z0-9_]*[a-z0-9])?([.][a-z0-9]([-a-z0-9_]*[a-z0-9])?)*$/u;
const ONLY_NUMBERS = /^[0-9.]+$/u;

/** Entries are ranges (10.0.0.0/8), addresses, and names of hosts; throws a RangeError that names what is none of them. */
export function parseAllowList(text: string): AllowList {
  const entries = text
    .split(/[\s,]+/u)
    .filter((entry) => entry !== '')
    .map((entry) => entry.toLowerCase());
  const isRange = (entry: string): boolean => entry.includes('/') || isIP(entry) !== 0;
  return {
    ranges: readRanges(entries.filter(isRange)),
    names: entries.filter((entry) => !isRange(entry)).map(readName),
  };
}

function readRanges(entries: readonly string[]): BlockList {
  return subnetList(entries.map(readRange));
}

function readRange(entry: string): string {
  const range = entry.includes('/') ? entry : `${entry}/${isIPv4(entry) ? 32 : 128}`;
  const [address = '', prefix = ''] = range.split('/');
  const most = isIPv4(address) ? 32 : 128;
  if (isIP(address) !== 0 && /^[0-9]{1,3}$/u.test(prefix) && Number(prefix) <= most) return range;
  throw new RangeError(`'${entry}' is no range of addresses`);
}

function readName(entry: string): string {
  if (NAME_PATTERN.test(entry) && !ONLY_NUMBERS.test(entry)) return entry;
  throw new RangeError(`'${entry}' is neither a range of addresses nor the name of a host`);
}

export function allowsAddress({ ranges }: AllowList, address: string): boolean {
  return isWithin(ranges, address);
}

export function allowsName({ names }: AllowList, host: string): boolean {
  return names.some((name) => (name.startsWith('*.') ? host.endsWith(name.slice(1)) : host === name));
}
