import type { Journey, JourneyObserver, Outcome } from '../inference/journey.ts';
import type { Labels, ScrapedMetric } from '../metrics/scraped.ts';
import { CounterFamily, HistogramSeries } from '../metrics/series.ts';

const MOST_CLASSES = 64;
const LONGEST_CLASS = 64;
const OTHER = 'other';
const CONFIDENCE_EDGES = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1] as const;
const CONFIDENCE_NAME = 'headgate_prediction_confidence';

/** What a classifier says, and how surely. Copies count too: they are what a shadow is judged by. */
export class Predictions implements JourneyObserver {
  readonly #labels: Labels;
  readonly #classes: CounterFamily<string>;
  readonly #known = new Set<string>();
  readonly #confidences = new HistogramSeries(CONFIDENCE_EDGES);

  constructor(labels: Labels) {
    this.#labels = labels;
    this.#classes = new CounterFamily('class', labels);
  }

  onEnd({ origin }: Journey, outcome: Outcome): void {
    if (outcome.kind !== 'Answered' || origin === 'Preview') return;
    const { classes, confidences } = outcome.prediction;
    for (const name of classes) this.#classes.of(this.#bounded(name)).add();
    for (const confidence of confidences) this.#confidences.observe(confidence);
  }

  scraped(): ScrapedMetric[] {
    return [
      {
        name: 'headgate_predictions_total',
        help: 'Rows by the class that the model gave them; the 64 classes that came first, and other.',
        type: 'counter',
        read: this.#classes.read,
      },
      {
        name: CONFIDENCE_NAME,
        help: 'The largest probability of each row.',
        type: 'histogram',
        read: () => this.#confidences.samples(CONFIDENCE_NAME, this.#labels),
      },
    ];
  }

  #bounded(name: string): string {
    if (this.#known.has(name)) return name;
    if (this.#known.size >= MOST_CLASSES || name.length > LONGEST_CLASS) return OTHER;
    this.#known.add(name);
    return name;
  }
}
