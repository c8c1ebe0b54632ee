import { isInvalid } from './errors.ts';
import type { KubernetesObject } from './object.ts';
import { keyOf } from './object-store.ts';
import { SilenceError, type ApiRequest, type Transport } from './transport.ts';
import { isEndOfList, isVersion, parseWatchEvent } from './watch-event.ts';

/** All objects of a collection as of one version. */
export interface Listing {
  readonly objects: readonly KubernetesObject[];
  readonly version: string;
}

export interface ListerOptions {
  readonly transport: Transport;
  readonly path: string;
  /** Which objects of the collection; none means all. */
  readonly selection: Readonly<Record<string, string>>;
  readonly trim: (raw: unknown) => KubernetesObject;
  readonly signal: AbortSignal;
  /** A list that is sent object by object is given up when nothing arrives for so long. */
  readonly idleMs: number;
}

interface ListPage {
  readonly metadata: { readonly resourceVersion: string; readonly continue?: string };
  readonly items: readonly unknown[] | null;
}

const PAGE_SIZE = 500;
/** Long enough for a hundred thousand objects. */
const STREAM_SECONDS = 300;

/**
 * Reads whole collections, as new as etcd itself: no version is asked for, so that no API server may answer from a
 * cache that lags. Objects are trimmed one by one or page by page: no untrimmed list is ever held.
 */
export class Lister {
  private readonly options: ListerOptions;
  private canStream = true;

  constructor(options: ListerOptions) {
    this.options = options;
  }

  /** Streamed where the server can (its default from 1.34 on), otherwise in pages. */
  async list(): Promise<Listing> {
    if (!this.canStream) return await this.listPages();
    try {
      return await this.listStream();
    } catch (error) {
      // It refuses, or it ignores what it does not know and waits with us for the end of the list.
      if (!isInvalid(error) && !(error instanceof SilenceError)) throw error;
      this.canStream = false;
      return await this.listPages();
    }
  }

  private async listStream(): Promise<Listing> {
    const { transport, signal, trim, idleMs } = this.options;
    const request = this.request({
      ...{ watch: 'true', allowWatchBookmarks: 'true', timeoutSeconds: String(STREAM_SECONDS) },
      ...{ sendInitialEvents: 'true', resourceVersionMatch: 'NotOlderThan' },
    });
    const objects = new Map<string, KubernetesObject>();
    for await (const line of transport.lines(request, { idleMs, signal })) {
      const event = parseWatchEvent(line);
      if (isEndOfList(event)) {
        return { objects: [...objects.values()], version: event.object.metadata.resourceVersion };
      }
      if (event.type === 'BOOKMARK') continue;
      const object = trim(event.object);
      // What happens while the list is sent comes in between.
      if (event.type === 'DELETED') objects.delete(keyOf(object));
      else objects.set(keyOf(object), object);
    }
    throw new Error('the list ended before its last object');
  }

  private async listPages(): Promise<Listing> {
    const objects: KubernetesObject[] = [];
    let page: ListPage | undefined;
    do {
      page = await this.listPage(page?.metadata.continue);
      for (const item of page.items ?? []) objects.push(this.options.trim(item));
    } while ((page.metadata.continue ?? '') !== '');
    return { objects, version: page.metadata.resourceVersion };
  }

  private async listPage(token = ''): Promise<ListPage> {
    const request = this.request({
      limit: String(PAGE_SIZE),
      ...(token === '' ? {} : { continue: token }),
    });
    const page = (await this.options.transport.request(request)) as Partial<ListPage> | null;
    if (!isVersion(page?.metadata?.resourceVersion)) throw new Error('the list names no version');
    return page as ListPage;
  }

  private request(query: Readonly<Record<string, string>>): ApiRequest {
    const { path, selection, signal } = this.options;
    return { method: 'GET', path, query: { ...selection, ...query }, signal };
  }
}
