import { describe, expect, test } from 'vitest';
import { atFirstPause } from '../../support/scene.ts';

describe('the history', () => {
  test('tells of a rollout that another spec has ended, once', () => {
    const scene = atFirstPause().asksFor('v3').rests().later(1_000).rests();
    const entries = scene.status.history?.filter(({ outcome }) => outcome === 'Superseded');
    expect(entries).toMatchObject([{ revision: scene.revision('v2'), reason: 'Superseded' }]);
    expect(entries?.[0]?.message).toContain(scene.revision('v3'));
    expect(scene.events.filter(({ reason }) => reason === 'Superseded')).toHaveLength(1);
  });

  test('tells of a rollout that the spec before it has ended', () => {
    const scene = atFirstPause().later(1_000).asksFor('v1').rests();
    expect(scene.status.history?.[0]).toMatchObject({
      revision: scene.revision('v2'),
      outcome: 'Superseded',
    });
  });

  test('does not call superseded what was promoted or given up, though the operator died over it', () => {
    const given = atFirstPause().pod('v2-pod-0', { crashes: 1 });
    given.pass({ crashBefore: 'Status' });
    expect(given.rests().status.history?.map(({ outcome }) => outcome)).not.toContain('Superseded');
    const promoted = atFirstPause().decides('PromoteFull').runs('v2', 2);
    while (promoted.status.reason !== 'Promoting') promoted.pass();
    promoted.pass({ crashBefore: 'Status' });
    expect(promoted.rests().status.history?.map(({ outcome }) => outcome)).not.toContain('Superseded');
  });
});
