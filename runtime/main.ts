import { writeFileSync } from 'node:fs';
import type { Logger } from 'winston';
import { environment, readConfig, readTerminationLogPath, type RuntimeConfig } from './config/config.ts';
import { StartFailure } from './errors.ts';
import { createLog } from './log.ts';
import { RuntimeServer } from './runtime-server.ts';

/** The kubelet puts this file's text into the pod's status, where the operator reads it. */
function writeTerminationLog(reason: string, message: string): void {
  try {
    writeFileSync(readTerminationLogPath(environment), JSON.stringify({ reason, message }));
  } catch {
    // Outside a container there is no such file; the log has the same words.
  }
}

/** Ends the process: whatever comes here cannot be served around. */
function exitWithFailure(error: unknown, log: Logger): never {
  if (error instanceof StartFailure) {
    log.error(error.message, { reason: error.reason });
    writeTerminationLog(error.reason, error.message);
  } else {
    const { message, stack } = error as Error;
    log.error('the server failed', { cause: stack });
    writeTerminationLog('InternalError', `the server failed: ${message}`);
  }
  process.exit(1);
}

function readConfigOrExit(): RuntimeConfig {
  try {
    return readConfig(environment);
  } catch (error) {
    return exitWithFailure(error, createLog('info', {}));
  }
}

const config = readConfigOrExit();
const log = createLog(config.logLevel, { model: config.modelName, revision: config.revision });
const server = new RuntimeServer(config, { log, onFatal: (error) => exitWithFailure(error, log) });
let isDraining = false;

function drainOnce(): void {
  if (isDraining) return;
  isDraining = true;
  server.drain().then(
    () => process.exit(0),
    (error: unknown) => exitWithFailure(error, log),
  );
}

process.on('SIGTERM', drainOnce);
process.on('SIGINT', drainOnce);
server.start().catch((error: unknown) => {
  // A drain that began during the start closes what the start was waiting for.
  if (!isDraining) exitWithFailure(error, log);
});
