import { measure } from '../measure.ts';
import { benchModelNamed } from '../models/models.ts';
import { BareSession } from '../models/session.ts';

/** A process that does nothing but run a model: for so many milliseconds as each message says. Usage: bare.ts MODEL */

const session = await BareSession.open(benchModelNamed(process.argv[2] ?? ''));

process.on('message', (durationMs: number) => {
  void measure([() => session.spin()], durationMs).then((measured) => process.send?.(measured));
});
process.send?.('ready');
