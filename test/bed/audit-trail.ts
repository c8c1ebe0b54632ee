import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';

/** One write that the API server has answered, with the version that it made. */
export interface AuditedWrite {
  readonly userAgent: string;
  readonly verb: string;
  readonly resource: string;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly status: number;
  readonly version?: bigint;
  readonly answer: Readonly<Record<string, unknown>>;
  readonly receivedMs: number;
  readonly answeredMs: number;
}

/** Bodies of the answers to all writes; nothing of what is only read, which would fill the disk. */
export const writesWithAnswers = {
  apiVersion: 'audit.k8s.io/v1',
  kind: 'Policy',
  omitStages: ['RequestReceived'],
  omitManagedFields: true,
  rules: [{ level: 'RequestResponse', verbs: ['create', 'update', 'patch', 'delete'] }, { level: 'None' }],
};

interface AuditEvent {
  readonly requestReceivedTimestamp: string;
  readonly stageTimestamp: string;
  readonly verb: string;
  readonly userAgent?: string;
  readonly responseStatus?: { readonly code?: number };
  readonly responseObject?: Readonly<Record<string, unknown>> & {
    readonly metadata?: { readonly uid?: string; readonly resourceVersion?: string };
    readonly details?: { readonly uid?: string };
  };
  readonly objectRef?: {
    readonly resource?: string;
    readonly subresource?: string;
    readonly namespace?: string;
    readonly name?: string;
  };
}

/** Reads a log line by line: that of a long campaign is larger than any text may be. */
export async function* readTrail(auditLog: string, userAgent: string): AsyncGenerator<AuditedWrite> {
  for await (const line of createInterface({ input: createReadStream(auditLog) })) {
    // The last line may be half written.
    if (!line.endsWith('}') || !line.includes(`"userAgent":"${userAgent}`)) continue;
    yield toWrite(JSON.parse(line) as AuditEvent);
  }
}

function toWrite(event: AuditEvent): AuditedWrite {
  const { responseObject: answer = {}, userAgent = '', verb } = event;
  return {
    ...{ userAgent, verb, answer, ...placeOf(event.objectRef), ...lifeOf(verb, answer) },
    status: event.responseStatus?.code ?? 0,
    receivedMs: Date.parse(event.requestReceivedTimestamp),
    answeredMs: Date.parse(event.stageTimestamp),
  };
}

/** The answer to a deletion names the object that is gone, or still the version before. */
function lifeOf(
  verb: string,
  { metadata, details }: NonNullable<AuditEvent['responseObject']>,
): Pick<AuditedWrite, 'uid' | 'version'> {
  const version = verb === 'delete' ? undefined : metadata?.resourceVersion;
  const uid = metadata?.uid ?? details?.uid ?? '';
  return { uid, ...(version !== undefined && { version: BigInt(version) }) };
}

function placeOf({
  resource = '',
  subresource,
  namespace = '',
  name = '',
}: AuditEvent['objectRef'] = {}): Pick<AuditedWrite, 'resource' | 'namespace' | 'name'> {
  return { resource: subresource === undefined ? resource : `${resource}/${subresource}`, namespace, name };
}
