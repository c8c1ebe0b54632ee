import { decisionInvariants } from './decisions.ts';
import type { Invariant } from './invariant.ts';
import { othersInvariants } from './others.ts';
import { sizeInvariants } from './size.ts';
import { strategyInvariants } from './strategies.ts';
import { threeRevisionInvariants } from './three-revisions.ts';
import { trafficInvariants } from './traffic.ts';
import { truthInvariants } from './truth.ts';

/** Checked in every state. */
export const invariants: readonly Invariant[] = [
  ...trafficInvariants,
  ...sizeInvariants,
  ...strategyInvariants,
  ...threeRevisionInvariants,
  ...truthInvariants,
  ...decisionInvariants,
  ...othersInvariants,
];
