import { expect, it } from 'vitest';
import { previewDestination } from '../../../operator/api/names.ts';
import { originOf } from '../../../runtime/inference/origin.ts';

it.each([
  { destination: undefined, origin: 'User', because: 'no proxy of ours has sent it' },
  { destination: 'fraud-new', origin: 'User', because: 'the proxy has chosen this revision' },
  { destination: 'fraud-old', origin: 'Mirror', because: 'the original went to another one' },
  { destination: 'fraud-old;preview', origin: 'Mirror', because: 'the original asked for another one' },
  {
    destination: previewDestination('fraud-new'),
    origin: 'Preview',
    because: 'it has asked for this revision',
  },
] as const)(
  'a request with destination $destination is a $origin, because $because',
  ({ destination, origin }) => {
    expect(originOf(destination, 'fraud-new')).toBe(origin);
  },
);
