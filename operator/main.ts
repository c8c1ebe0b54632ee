import { readConfig } from './config.ts';
import { messageOf } from './controller/errors.ts';
import { connectionFromDefault } from './controller/connection.ts';
import { Operator } from './operator.ts';
import { createLog, type Log } from './telemetry/log.ts';

/** A pass that hangs on a dead connection is given up; the next process takes its place. */
const LONGEST_STOP_MS = 5_000;

async function main(): Promise<void> {
  const config = readConfig();
  const log = createLog(config.logLevel);
  const operator = new Operator(config, connectionFromDefault(), log);
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => void stop(operator, log, signal));
  }
  log.info('starting', { watchNamespace: config.watchNamespace, runtimeImage: config.runtimeImage });
  await operator.start();
}

async function stop(operator: Operator, log: Log, signal: string): Promise<void> {
  log.info('stopping', { signal });
  setTimeout(() => {
    log.warn('a pass under way did not end in time');
    process.exit(0);
  }, LONGEST_STOP_MS).unref();
  await operator.stop();
  log.info('stopped');
  process.exit(0);
}

try {
  await main();
} catch (error) {
  createLog('error').error('the operator cannot start', { problem: messageOf(error) });
  process.exit(1);
}
