import { measure } from '../measure.ts';
import { benchModels } from '../models/models.ts';
import { BareSession } from '../models/session.ts';

/** A process that does nothing but run a model: for so many milliseconds as each message says. Usage: bare.ts MODEL */

const model = benchModels.find(({ name }) => name === process.argv[2]);
if (model === undefined) throw new Error(`no model is named '${process.argv[2] ?? ''}'`);
const session = await BareSession.open(model);

process.on('message', (durationMs: number) => {
  void measure([() => session.spin()], durationMs).then((measured) => process.send?.(measured));
});
process.send?.('ready');
