import { describe, expect, test } from 'vitest';
import { checkov } from './scanners/checkov.ts';
import { kubeScore } from './scanners/kube-score.ts';
import { kubesec } from './scanners/kubesec.ts';
import { describeScans } from './scanners/scans.ts';
import { suppressions } from './scanners/suppressions.ts';
import { trivy } from './scanners/trivy.ts';

describe('what scanners are not heeded in', () => {
  test('is at most five things, each with its reason', () => {
    expect(suppressions.length).toBeLessThanOrEqual(5);
    expect(suppressions.filter(({ reason }) => reason.length < 40)).toEqual([]);
  });
});

describeScans([checkov, kubeScore, kubesec, trivy]);
