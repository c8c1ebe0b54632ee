import type { Labels, Sample, ScrapedMetric } from '../../runtime/metrics/scraped.ts';

interface Part {
  scraped(labels: Labels): readonly ScrapedMetric[];
}

/** What a part of the server shows of itself under this name; undefined where it has no such metric. */
export function samplesOf(part: Part, name: string): readonly Sample[] | undefined {
  return part
    .scraped({})
    .find((metric) => metric.name === name)
    ?.read();
}

export function valueOf(part: Part, name: string): number | undefined {
  return samplesOf(part, name)?.[0]?.value;
}
