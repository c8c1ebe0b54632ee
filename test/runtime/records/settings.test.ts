import { describe, expect, it } from 'vitest';
import { Settings } from '../../../runtime/config/settings.ts';
import { StartFailure } from '../../../runtime/errors.ts';
import { readRecordSettings, type RecordSettings } from '../../../runtime/records/settings.ts';

function read(environment: Record<string, string>): RecordSettings | undefined {
  return readRecordSettings(new Settings(environment));
}

function refusalOf(environment: Record<string, string>): string {
  try {
    read(environment);
  } catch (error) {
    if (error instanceof StartFailure) return error.message;
  }
  return 'accepted';
}

describe('the settings of records', () => {
  it('are none unless a sink is chosen', () => {
    expect(read({ HEADGATE_RECORDS_CONTENT: 'Full' })).toBeUndefined();
  });

  it('record digests of all requests where nothing else is said', () => {
    expect(read({ HEADGATE_RECORDS_SINK: 'Stdout' })).toEqual({
      sampleShare: 1,
      content: 'Digest',
      redactedInputs: new Set(),
      userHeader: undefined,
      tenantHeader: undefined,
      sink: { kind: 'Stdout' },
    });
    expect(read({ HEADGATE_RECORDS_SINK: 'File' })?.sink).toEqual({
      kind: 'File',
      directory: '/var/lib/headgate/records',
      pod: undefined,
      maxBytes: 64 * 2 ** 20,
      maxFiles: 4,
      maxAgeMs: undefined,
    });
  });

  it('take what is set', () => {
    const settings = read({
      HEADGATE_RECORDS_SINK: 'Http',
      HEADGATE_RECORDS_HTTP_URL: 'http://broker.example.com/default',
      HEADGATE_NAMESPACE: 'ml',
      HEADGATE_RECORDS_SAMPLE_PERCENT: '5',
      HEADGATE_RECORDS_CONTENT: 'Redacted',
      HEADGATE_RECORDS_REDACT: '["age, in years", "income"]',
      HEADGATE_RECORDS_USER_HEADER: 'X-User',
    });
    expect(settings).toMatchObject({
      sampleShare: 0.05,
      content: 'Redacted',
      redactedInputs: new Set(['age, in years', 'income']),
      userHeader: 'x-user',
      sink: { kind: 'Http', url: new URL('http://broker.example.com/default'), namespace: 'ml' },
    });
  });

  it.each([
    ['HEADGATE_RECORDS_SINK', 'Disk', 'Stdout, File, Http'],
    ['HEADGATE_RECORDS_CONTENT', 'Some', 'Digest, Redacted, Full'],
    ['HEADGATE_RECORDS_SAMPLE_PERCENT', '0', 'a whole number from 1 to 100'],
    ['HEADGATE_RECORDS_REDACT', 'age', 'is no JSON'],
    ['HEADGATE_RECORDS_REDACT', '{"age":true}', 'a JSON array of the names of inputs'],
    ['HEADGATE_RECORDS_POD', '../other', 'the name of the pod'],
    ['HEADGATE_RECORDS_USER_HEADER', 'x user', 'the name of a request header'],
    ['HEADGATE_RECORDS_HTTP_URL', 'ftp://example.com', 'http:// or https://'],
    ['HEADGATE_RECORDS_HTTP_URL', 'http://me:secret@example.com', 'http:// or https://'],
    ['HEADGATE_RECORDS_HTTP_ALLOW', '10.0.0/8', 'no range'],
    ['HEADGATE_RECORDS_MAX_FILES', '1', 'a whole number from 2'],
  ])('refuse %s=%s and say what to set', (name, value, remedy) => {
    const sink = name.includes('HTTP') ? 'Http' : 'File';
    const refusal = refusalOf({
      HEADGATE_RECORDS_SINK: sink,
      HEADGATE_RECORDS_HTTP_URL: 'http://example.com',
      [name]: value,
    });
    expect(refusal).toContain(name);
    expect(refusal).toContain(remedy);
  });
});
