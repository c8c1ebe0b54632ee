import { FaultServer } from '../support/fault-server/fault-server.ts';
import { Dice } from '../support/dice.ts';
import { HurtServer } from './hurt-server.ts';
import type { Answer, Command, SoakOptions } from './protocol.ts';

/** The API servers of a soak, in a process of their own: what their memory does is not what is measured. */
const options = JSON.parse(process.argv[2] ?? '{}') as SoakOptions;
const hurt = await Promise.all(
  Array.from(
    { length: options.kinds },
    async (_, index) => new HurtServer(await FaultServer.start(), options, new Dice(options.seed + index)),
  ),
);
const inRealTime = options.halfOpenInRealTime > 0 ? [await leaveHalfOpen(options.halfOpenInRealTime)] : [];
const servers = [...hurt, ...inRealTime];

/** A quiet server whose first watches go silent, as if their connections led nowhere. */
async function leaveHalfOpen(times: number): Promise<HurtServer> {
  const server = await FaultServer.start();
  server.put('quiet');
  for (let time = 0; time < times; time += 1) server.faults.push(time % 2 === 0 ? 'silence' : 'no answer');
  return new HurtServer(server, options, new Dice(options.seed));
}

function answer(message: Answer): void {
  process.send?.(message);
}

async function obey(command: Command): Promise<void> {
  if (command.do === 'rest') {
    for (const server of hurt) server.rest();
    answer({ is: 'resting', reports: servers.map((server) => server.report()) });
    return;
  }
  const each = Math.ceil(command.events / hurt.length);
  await Promise.all(hurt.map((server) => server.change(each)));
  answer({ is: 'changed' });
}

process.on('message', (command: Command) => void obey(command));
// Nobody else ends this process when the soak itself is ended.
process.on('disconnect', () => process.exit(0));
answer({ is: 'started', urls: servers.map(({ server }) => server.url) });
