import type { Agent } from 'node:http';
import { Agent as HttpsAgent, request as requestByHttps } from 'node:https';
import { Agent as HttpAgent, request as requestByHttp } from '../node-http.ts';
import type { Sink } from '../outbox/outbox.ts';
import { toOtlp, type Resource } from './otlp.ts';
import type { TraceSettings } from './settings.ts';
import type { Trace } from './span.ts';

/** A collector that takes OTLP over HTTP. The platform names it, so it may lie anywhere. */
export class OtlpSink implements Sink<Trace> {
  readonly #settings: TraceSettings;
  readonly #resource: Resource;
  readonly #agent: Agent;

  constructor(settings: TraceSettings, resource: Resource) {
    this.#settings = settings;
    this.#resource = resource;
    const options = { keepAlive: true, maxSockets: 1 };
    this.#agent = settings.url.protocol === 'https:' ? new HttpsAgent(options) : new HttpAgent(options);
  }

  write(traces: readonly Trace[]): Promise<void> {
    const { url, headers, timeoutMs } = this.#settings;
    const body = toOtlp(traces, this.#resource, performance.timeOrigin);
    const send = url.protocol === 'https:' ? requestByHttps : requestByHttp;
    return new Promise((resolve, reject) => {
      const sent = send(url, {
        method: 'POST',
        agent: this.#agent,
        signal: AbortSignal.timeout(timeoutMs),
        headers: {
          ...headers,
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(body),
        },
      });
      sent.once('error', reject);
      sent.once('response', (response) => {
        response.resume();
        const { statusCode = 0 } = response;
        if (statusCode >= 200 && statusCode < 300) response.once('close', () => resolve());
        else reject(new Error(`the collector answered ${statusCode}`));
      });
      sent.end(body);
    });
  }

  close(): Promise<void> {
    this.#agent.destroy();
    return Promise.resolve();
  }
}
