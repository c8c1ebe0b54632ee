import type { Agent, ClientRequest } from 'node:http';
import { Agent as HttpsAgent, request as requestByHttps } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { AddressGuard } from '../../model-source/http/address-guard.ts';
import { Agent as HttpAgent, request as requestByHttp } from '../../node-http.ts';
import { LossError, type Sink } from '../../outbox/outbox.ts';
import { toCloudEvents, type CloudEvent } from '../cloud-event.ts';
import type { DecisionRecord } from '../record.ts';
import type { HttpSinkSettings } from '../settings.ts';

const CONNECTIONS = 8;
const ANSWER_LIMIT_MS = 5000;

/**
 * Records as CloudEvents, one POST each, over kept connections to addresses that the platform allows. An event that is
 * not taken is lost: to try again would put off those behind it.
 */
export class HttpSink implements Sink<DecisionRecord> {
  readonly #settings: HttpSinkSettings;
  readonly #guard: AddressGuard;
  readonly #agent: Agent;

  constructor(settings: HttpSinkSettings) {
    this.#settings = settings;
    this.#guard = new AddressGuard(settings.allowed);
    const options = { keepAlive: true, maxSockets: CONNECTIONS, lookup: this.#lookup };
    this.#agent = settings.url.protocol === 'https:' ? new HttpsAgent(options) : new HttpAgent(options);
  }

  async write(records: readonly DecisionRecord[]): Promise<void> {
    const { url, namespace } = this.#settings;
    // An address without a name is never looked up.
    if (isIP(url.hostname.replace(/^\[(.*)\]$/u, '$1')) !== 0) await this.#guard.admit(url);
    const postAll = async (record: DecisionRecord): Promise<void> => {
      await Promise.all(toCloudEvents(record, namespace).map((event) => this.#post(event)));
    };
    const results = await Promise.allSettled(records.map(postAll));
    const failures = results.filter((result) => result.status === 'rejected');
    const [first] = failures;
    if (first !== undefined) throw new LossError((first.reason as Error).message, failures.length);
  }

  close(): Promise<void> {
    this.#agent.destroy();
    return Promise.resolve();
  }

  readonly #lookup: LookupFunction = (_host, { all }, answer) => {
    this.#guard.admit(this.#settings.url).then(
      (addresses) => {
        const [first] = addresses;
        if (all === true || first === undefined) answer(null, [...addresses]);
        else answer(null, first.address, first.family);
      },
      (error: unknown) => answer(error as Error, '', 0),
    );
  };

  #post({ headers, body }: CloudEvent): Promise<void> {
    const { url } = this.#settings;
    const send = url.protocol === 'https:' ? requestByHttps : requestByHttp;
    return new Promise((resolve, reject) => {
      const sent: ClientRequest = send(url, {
        method: 'POST',
        agent: this.#agent,
        headers: { ...headers, 'content-length': Buffer.byteLength(body) },
        signal: AbortSignal.timeout(ANSWER_LIMIT_MS),
      });
      sent.once('error', reject);
      sent.once('response', (response) => {
        response.resume();
        const { statusCode = 0 } = response;
        if (statusCode >= 200 && statusCode < 300) response.once('close', () => resolve());
        else reject(new Error(`the sink answered ${statusCode}`));
      });
      sent.end(body);
    });
  }
}
