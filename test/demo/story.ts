import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Bed } from '../bed/bed.ts';
import { repository } from '../bed/layout.ts';
import type { Load, LoadRecord } from '../bed/load.ts';
import { waitFor } from '../bed/wait.ts';
import { waitForPhase, waitForStatus } from '../e2e/support/status.ts';
import { startInferLoad } from '../e2e/support/infer-load.ts';
import { ShareWatch } from '../e2e/support/share-watch.ts';
import type { Narrator } from './narrator.ts';
import { headerAbove, passesThrough, type Row } from './rows.ts';
import { describeCounts, type ChapterResult, type Recovery } from './summary.ts';
import { startWatch, watchWords, type Watch } from './watch.ts';

export const subject = { namespace: 'demo', name: 'diagnosis' } as const;
export const host = 'models.example.com';
export const pathPrefix = '/diagnosis';
export const requestsPerSecond = 100;
const TRAFFIC_LINE_EVERY_MS = 5_000;
const LONGEST_ROLLOUT_MS = 120_000;
const LONGEST_SENTENCE = 240;

export interface BadVersion {
  readonly title: string;
  readonly version: string;
  readonly file: string;
  readonly reason: string;
  /** What a person would call the first sign of it. */
  readonly evidence: string;
  readonly isEvidence: (record: LoadRecord, candidate: string) => boolean;
}

/** One ModelDeployment and its users, from its first version to its last. */
export class Story {
  readonly names = new Map<string, string>();
  readonly chapters: ChapterResult[] = [];
  readonly recoveries: Recovery[] = [];
  private readonly bed: Bed;
  private readonly narrator: Narrator;
  private readonly watch: Watch;
  private load: Load | undefined;
  private isHeaderSaid = false;
  /** Every request belongs to one chapter: each begins where the one before ended. */
  private chapterFromMs = 0;

  constructor(bed: Bed, narrator: Narrator) {
    this.bed = bed;
    this.narrator = narrator;
    // One for all chapters: kubectl's columns settle as its words come.
    this.watch = startWatch(bed, subject.namespace, ({ text }) => this.tellRow(text));
  }

  async firstVersion(title: string, file: string): Promise<void> {
    this.narrator.beginChapter(title);
    await this.whileWatching(file, async () => {
      const status = await waitForPhase(this.bed, subject, 'Healthy', LONGEST_ROLLOUT_MS);
      this.names.set(status.stable ?? '', 'v1');
      this.narrator.tell(`Ready: ${status.message ?? ''}`);
    });
    this.load = await startInferLoad(this.bed, { name: subject.name, host, pathPrefix, requestsPerSecond });
    this.narrator.tell(
      `From here on ${requestsPerSecond} infer requests a second go through both gateways, retries off.`,
    );
    await this.finishChapter(title, 5_000);
  }

  async betterVersion(title: string, file: string, weights: readonly number[]): Promise<void> {
    this.narrator.beginChapter(title);
    const { rows } = await this.whileWatching(file, async () => {
      const { candidate } = await this.waitForCandidate('v2');
      await waitForStatus(this.bed, subject, {
        what: 'is Healthy with the new version',
        is: ({ phase, stable }) => phase === 'Healthy' && stable === candidate,
        timeoutMs: LONGEST_ROLLOUT_MS,
      });
    });
    const result = await this.finishChapter(title, 3_000);
    demand(passesThrough(rows, weights), `kubectl showed the weights ${weights.join(' → ')} %`);
    demand(
      result.counts.failed === 0,
      `no request failed while the new version came, but ${result.counts.failed} did`,
    );
  }

  async badVersion(bad: BadVersion): Promise<void> {
    this.narrator.beginChapter(bad.title);
    const { stable } = await waitForStatus(this.bed, subject, {
      what: 'has a stable version',
      is: (status) => status.stable !== undefined,
    });
    const { result } = await this.whileWatching(bad.file, async () => {
      const { candidate } = await this.waitForCandidate(bad.version);
      const shares = new ShareWatch(this.bed, subject, candidate);
      const status = await waitForPhase(this.bed, subject, 'Aborted', LONGEST_ROLLOUT_MS);
      this.narrator.tell(shortened(`${status.reason ?? ''}: ${status.message ?? ''}`));
      return { candidate, shares, status };
    });
    const { candidate, shares, status } = result;
    await this.finishChapter(bad.title, 3_000);
    demand(status.reason === bad.reason, `it was given up for ${bad.reason}, not for ${status.reason ?? ''}`);
    demand(status.stable === stable, `the stable version is still ${stable ?? ''}`);
    await shares.stop();
    demand(shares.wasEverRaised, 'it was given some of the traffic');
    const { raisedAtMs, goneAtMs } = shares.riseAndFall();
    const firstSeenMs = await this.firstEvidence(bad, candidate, raisedAtMs);
    const seconds = (goneAtMs - firstSeenMs) / 1000;
    this.narrator.tell(`From ${bad.evidence} to 0 % at both gateways: ${seconds.toFixed(1)} s.`);
    this.recoveries.push({ version: bad.version, reason: bad.reason, evidence: bad.evidence, seconds });
    await this.demandCalm(goneAtMs);
  }

  async end(): Promise<void> {
    await this.watch.stop();
    await this.load?.stop();
  }

  /** Applies a file and shows what kubectl tells of it until `work` is done. */
  private async whileWatching<Result>(
    file: string,
    work: () => Promise<Result>,
  ): Promise<{ readonly rows: readonly Row[]; readonly result: Result }> {
    const path = join('examples/demo', file);
    const before = this.watch.rows.length;
    this.isHeaderSaid = false;
    this.narrator.command(`kubectl apply -f ${path}`);
    this.narrator.command(`kubectl -n ${subject.namespace} ${watchWords.join(' ')}`);
    const stopTelling = this.tellTraffic();
    try {
      await this.bed.kubectl('apply', '-f', join(repository, path));
      const result = await work();
      return { rows: this.watch.rows.slice(before), result };
    } finally {
      stopTelling();
    }
  }

  private tellRow(text: string): void {
    if (!this.isHeaderSaid) this.narrator.detail(headerAbove(this.watch.header, text));
    this.isHeaderSaid = true;
    this.narrator.tell(text);
  }

  private tellTraffic(): () => void {
    let fromMs = settledMs();
    const timer = setInterval(() => {
      const toMs = settledMs();
      this.load
        ?.snapshot({ fromMs, toMs })
        .then((counts) => this.narrator.tell(`≈ ${describeCounts(counts, this.names)}`))
        .catch((error: unknown) => this.narrator.tell(`≈ the load cannot be read: ${String(error)}`));
      fromMs = toMs;
    }, TRAFFIC_LINE_EVERY_MS);
    return () => clearInterval(timer);
  }

  private async waitForCandidate(version: string): Promise<{ readonly candidate: string }> {
    const { candidate = '' } = await waitForStatus(this.bed, subject, {
      what: `tries ${version}`,
      is: (status) => status.candidate !== undefined,
    });
    this.names.set(candidate, version);
    return { candidate };
  }

  private async finishChapter(title: string, lastLookMs: number): Promise<ChapterResult> {
    // Time for what comes after the last step: the users go on.
    await pause(lastLookMs);
    const toMs = settledMs();
    const counts = await this.requireLoad().snapshot({ fromMs: this.chapterFromMs, toMs });
    this.chapterFromMs = toMs;
    this.narrator.tell(`≈ in all ${describeCounts(counts, this.names)}`);
    const result = { title, counts };
    this.chapters.push(result);
    return result;
  }

  private async firstEvidence(bad: BadVersion, candidate: string, raisedAtMs: number): Promise<number> {
    return await waitFor(`a request that shows ${bad.evidence}`, async () => {
      const records = await this.requireLoad().records({ fromMs: raisedAtMs - 1_000 });
      return records.find((record) => bad.isEvidence(record, candidate))?.atMs;
    });
  }

  /** After the last proxy has turned away, nobody may notice anything any more. */
  private async demandCalm(goneAtMs: number): Promise<void> {
    const failures = await this.requireLoad().failures({ fromMs: goneAtMs });
    const [first] = failures;
    demand(
      first === undefined,
      `no request failed once the gateways were back, but ${failures.length} did: ${first?.problem ?? ''}`,
    );
  }

  private requireLoad(): Load {
    if (this.load === undefined) throw new Error('traffic begins with the first version');
    return this.load;
  }
}

/** Requests that were due before it have their answers by now. */
function settledMs(): number {
  return Date.now() - 1_000;
}

function shortened(sentence: string): string {
  return sentence.length <= LONGEST_SENTENCE ? sentence : `${sentence.slice(0, LONGEST_SENTENCE)} …`;
}

/** Ends the demo: what it has just shown is not what it promises. */
export function demand(holds: boolean, sentence: string): void {
  if (!holds) throw new Error(`this was to be seen and was not: ${sentence}`);
}
