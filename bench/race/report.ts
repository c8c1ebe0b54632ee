import { median, medianOf, quantileOf } from '../measure.ts';
import type { ClosedResult, ModelResult, OpenResult, RaceResult } from './results.ts';
import { capacityOf } from './race.ts';

const NAME_WIDTH = 12;
const CELL_WIDTH = 15;

function line(cells: readonly string[]): string {
  const [name = '', ...rest] = cells;
  return name.padEnd(NAME_WIDTH) + rest.map((cell) => cell.padStart(CELL_WIDTH)).join('');
}

function figure(value: number): string {
  return value >= 100 ? String(Math.round(value)) : value.toPrecision(3);
}

export function shareInTime({ rounds }: OpenResult): number {
  return median(rounds.map(({ inTime, offered }) => inTime / offered));
}

/** Of the requests that the server took, and did not refuse. */
export function shareKept({ rounds }: OpenResult): number {
  return median(rounds.map(({ inTime, late }) => inTime / Math.max(1, inTime + late)));
}

/** Headgate's rate over the other's, round by round, because only neighbours in time saw the same machine. */
export function ratioOf(own: ClosedResult, other: ClosedResult): number {
  return median(
    own.rounds.map(({ perSecond }, round) => perSecond / (other.rounds[round]?.perSecond ?? NaN)),
  );
}

type Figure = (closed: ClosedResult, own: ClosedResult) => string;

/** How many there are, and how many times as many Headgate answers. */
const ratesFigure: Figure = (closed, own) => {
  const { perSecond } = medianOf(closed.rounds);
  return closed === own ? figure(perSecond) : `${figure(perSecond)} (${ratioOf(own, closed).toFixed(1)}×)`;
};

const costFigure: Figure = (closed, own) => {
  const [cost, ownCost] = [median(closed.cpuUs), median(own.cpuUs)];
  return closed === own ? figure(cost) : `${figure(cost)} (${(cost / ownCost).toFixed(1)}×)`;
};

function closedCell(closed: ClosedResult | undefined, own: ClosedResult | undefined, tell: Figure): string {
  if (closed === undefined) return '–';
  return closed.failure === undefined ? tell(closed, own ?? closed) : 'failed';
}

function closedTable(results: readonly ModelResult[], title: string, tell: Figure): string[] {
  const [first] = results;
  const columns = [
    ...new Map(
      results
        .flatMap(({ closed }) => closed)
        .map(({ wire, concurrency }) => [`${wire} ${concurrency}`, { wire, concurrency }]),
    ).values(),
  ];
  const find = (
    result: ModelResult | undefined,
    column: (typeof columns)[number],
  ): ClosedResult | undefined =>
    result?.closed.find(
      ({ wire, concurrency }) => wire === column.wire && concurrency === column.concurrency,
    );
  return [
    title,
    line(['', ...columns.map(({ wire, concurrency }) => `${wire} ${concurrency}`)]),
    ...results.map((result) =>
      line([
        result.contender,
        ...columns.map((column) => closedCell(find(result, column), find(first, column), tell)),
      ]),
    ),
  ];
}

function openTable(results: readonly ModelResult[]): string[] {
  const multiples = results[0]?.overload.map(({ multiple = 0 }) => multiple) ?? [];
  const rate = results[0]?.equal[0]?.perSecond ?? NaN;
  return [
    `JSON at ${figure(rate)} requests per second for all: p50 and p99 in ms; at multiples of its own capacity:`,
    'answers in time per second, as a share of its capacity (of those it took, how many were in time)',
    line(['', 'p50', 'p99', ...multiples.map((multiple) => `at ${multiple}×`)]),
    ...results.map((result) => {
      const rounds = result.equal[0]?.rounds ?? [];
      const overload = result.overload.map((open) => {
        const goodput = shareInTime(open) * (open.multiple ?? 0);
        return `${goodput.toFixed(2)} (${(shareKept(open) * 100).toFixed(0)} %)`;
      });
      const quantiles = [rounds.map(({ p50Ms }) => p50Ms), rounds.map(({ p99Ms }) => p99Ms)];
      return line([result.contender, ...quantiles.map((values) => figure(median(values))), ...overload]);
    }),
  ];
}

function ascending(values: readonly number[]): number[] {
  return values.toSorted((left, right) => left - right);
}

function startTable(results: readonly ModelResult[]): string[] {
  return [
    'first answer in s after the start of the process, memory at rest in MiB, p50 and the longest in ms of probes beside 32 clients',
    line(['', 'first answer', 'memory', 'capacity/s', 'probe p50', 'longest']),
    ...results.map((result) =>
      line([
        result.contender,
        (result.firstAnswerMs / 1000).toFixed(2),
        result.memoryAtRestMib.toFixed(0),
        figure(capacityOf(result)),
        ...[0.5, 1].map((share) => figure(quantileOf(ascending(result.probesMs), share))),
      ]),
    ),
  ];
}

/** All tables of one model, and who is not in them. */
export function reportModel(model: string, about: string, { bare, results, absences }: RaceResult): string {
  const own = results.filter((result) => result.model === model);
  const first = own[0]?.contender ?? '';
  const rounds = bare.find((entry) => entry.model === model)?.rounds ?? [];
  return [
    '',
    `${model}: ${about}`,
    `bare session.run: ${figure(medianOf(rounds).perSecond)} per second`,
    '',
    ...closedTable(
      own,
      `requests per second; in brackets, how many times as many ${first} answers`,
      ratesFigure,
    ),
    '',
    ...closedTable(own, `processor time per answer in µs; in brackets, against ${first}`, costFigure),
    '',
    ...openTable(own),
    '',
    ...startTable(own),
    ...absences
      .filter((absence) => absence.model === model)
      .map(({ contender, wire, reason }) => `not measured: ${contender} ${wire ?? ''}: ${reason}`),
    ...own.flatMap(({ contender, closed }) =>
      closed.flatMap(({ wire, concurrency, failure }) =>
        failure === undefined ? [] : [`failed: ${contender}, ${wire}, ${concurrency} clients: ${failure}`],
      ),
    ),
  ].join('\n');
}
