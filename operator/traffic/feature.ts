import type { Routing } from './routing.ts';

/** What a routing may ask for beyond sending everything to one revision. */
export type Feature = 'Split' | 'Mirrors' | 'Previews';

interface Use {
  readonly feature: Feature;
  readonly isIn: (routing: Routing) => boolean;
}

const uses: readonly Use[] = [
  {
    feature: 'Split',
    isIn: ({ destinations }) => destinations.filter(({ weight }) => weight > 0).length > 1,
  },
  { feature: 'Mirrors', isIn: ({ mirrors = [] }) => mirrors.length > 0 },
  { feature: 'Previews', isIn: ({ previews = [] }) => previews.length > 0 },
];

/** What a router has to be able to do to render this routing. */
export function featuresOf(routing: Routing): readonly Feature[] {
  return uses.filter(({ isIn }) => isIn(routing)).map(({ feature }) => feature);
}
