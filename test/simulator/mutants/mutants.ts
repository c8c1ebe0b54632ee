/** One small fault, as a person could make it, and the invariant that has to notice. */
export interface Mutant {
  readonly name: string;
  /** Below operator/. */
  readonly file: string;
  readonly snippet: string;
  readonly replacement: string;
  readonly caughtBy: string;
  /** The only moments around which it shows, where a look round all of them takes minutes. */
  readonly near?: readonly string[];
}

export const mutants: readonly Mutant[] = [
  {
    name: 'weight goes to pods that are not ready',
    file: 'plan/capacity.ts',
    snippet: 'return revision.readyPods >= podsForShare(facts, share);',
    replacement: 'return true;',
    caughtBy: 'I1',
  },
  {
    name: 'a share is rounded down to too few pods',
    file: 'plan/capacity.ts',
    snippet: 'Math.ceil((share * stableSize) / FULL_WEIGHT)',
    replacement: 'Math.floor((share * stableSize) / FULL_WEIGHT)',
    caughtBy: 'I7',
  },
  {
    name: 'idle pods are not waited for',
    file: 'plan/retirement.ts',
    snippet: 'return inFlight === 0 && isLongAgo(lastRequestSecondsAgo);',
    replacement: 'return inFlight >= 0 || isLongAgo(lastRequestSecondsAgo);',
    caughtBy: 'I2',
  },
  {
    name: 'a revision goes before any proxy is proven to send elsewhere',
    file: 'plan/retirement.ts',
    snippet: 'provenLongEnough(proof, nowMs) &&\n      revision.pods.every((pod) => isIdle(facts, pod)),',
    replacement: 'true,',
    caughtBy: 'I2',
  },
  {
    name: 'a new destination is named before its Service exists',
    file: 'plan/next-routing.ts',
    snippet: "facts.revisions.get(revision)?.objects.has('Service') ? [{ revision, weight: 0 }] : []",
    replacement: '[{ revision, weight: 0 }]',
    caughtBy: 'I3',
  },
  {
    name: 'a weight is raised without proof that proxies know the destination',
    file: 'plan/next-routing.ts',
    snippet: "const mayRaise = proof.kind === 'Proven' && course.isHeld !== true;",
    replacement: 'const mayRaise = course.isHeld !== true;',
    caughtBy: 'I3',
  },
  {
    name: 'a gateway that is behind is no doubt',
    file: 'plan/proof.ts',
    snippet: '  gatewayBehind,\n',
    replacement: '',
    caughtBy: 'I3',
  },
  {
    name: 'a sidecar that is behind is no doubt',
    file: 'plan/proof.ts',
    snippet: '  sidecarBehind,\n',
    replacement: '',
    caughtBy: 'I3',
  },
  {
    name: 'the proof of an older routing counts for this one',
    file: 'plan/proof.ts',
    snippet: 'if (remembered?.hash === hash && remembered.provenAt !== undefined) {',
    replacement: 'if (remembered?.provenAt !== undefined) {',
    caughtBy: 'I3',
  },
  {
    name: 'the stable keeps all of its weight',
    file: 'plan/next-routing.ts',
    snippet: 'weight: FULL_WEIGHT - given',
    replacement: 'weight: FULL_WEIGHT',
    caughtBy: 'I4',
  },
  {
    name: 'an applied Deployment carries replicas',
    file: 'plan/writes.ts',
    snippet: 'const desired = buildDeployment(modelDeployment, name, snapshot);',
    replacement:
      'const built = buildDeployment(modelDeployment, name, snapshot);\n' +
      '  const desired = { ...built, spec: { ...built.spec, replicas: 1 } };',
    caughtBy: 'I6',
  },
  {
    name: 'the giver of traffic may shrink',
    file: 'plan/autoscaling.ts',
    snippet: 'holdScaleDown: course.holdScaleDown && revision !== facts.candidate,',
    replacement: 'holdScaleDown: false,',
    caughtBy: 'I7',
  },
  {
    name: 'a raised floor comes down at once',
    file: 'plan/autoscaling.ts',
    snippet: 'const keepsRaisedFloor = course.holdScaleDown || !followsItsMetric(live);',
    replacement: 'const keepsRaisedFloor = false;',
    caughtBy: 'I7',
  },
  {
    name: 'the entry Service selects what the spec asks for',
    file: 'plan/writes.ts',
    snippet: 'function entryService({ modelDeployment, observed, router, stable }: Facts)',
    replacement: 'function entryService({ modelDeployment, observed, router, desired: stable }: Facts)',
    caughtBy: 'I7',
  },
  {
    name: 'a rollout begins its steps anew in every pass',
    file: 'plan/rollout.ts',
    snippet: 'if (known === stepsHash(facts)) {',
    replacement: "if (known === 'another') {",
    caughtBy: 'I12',
  },
  {
    name: 'nobody looks again after a write',
    file: 'plan/plan.ts',
    snippet: '...(writes.length > 0 ? [LOOK_AFTER_WRITE_MS] : []),',
    replacement: '',
    caughtBy: 'I12',
  },
  {
    name: 'an abort is not recorded',
    file: 'plan/writes.ts',
    snippet: 'revision === mark?.revision || ',
    replacement: '',
    caughtBy: 'I12',
  },
  {
    name: 'Healthy is said before the gateways use the routes',
    file: 'plan/rules.ts',
    snippet:
      "if (doubt !== undefined) return { phase: 'Progressing', reason: 'RoutingUnproven', message: doubt };",
    replacement: '',
    caughtBy: 'I11',
  },
  {
    name: 'a step is over as soon as it is asked for',
    file: 'plan/proof.ts',
    snippet: ": { kind: 'Unproven', hash, message: problem };",
    replacement: ": { kind: 'Proven', hash, sinceMs: nowMs };",
    caughtBy: 'I11',
  },
  {
    name: 'errors of a candidate are no evidence',
    file: 'plan/evidence.ts',
    snippet: '  answersWithErrors,\n',
    replacement: '',
    caughtBy: 'I13',
  },
  {
    name: 'errors in answers to copies are no evidence',
    file: 'plan/evidence.ts',
    snippet: "    { what: 'copies of requests', counts: reports.flatMap(({ mirrors }) => mirrors ?? []) },\n",
    replacement: '',
    caughtBy: 'I13',
  },
  {
    name: 'copies go to pods that are not ready',
    file: 'plan/next-routing.ts',
    snippet:
      'const allowed = weight <= present || (mayRaise && canTake(facts, revision, weight)) ? weight : present;',
    replacement: 'const allowed = weight;',
    caughtBy: 'I7',
  },
  {
    name: 'what goes is removed without a look at its record',
    file: 'plan/writes.ts',
    snippet: 'live === undefined || isWritten',
    replacement: 'true',
    caughtBy: 'I13',
    near: ['the first revision is promoted, and a new operator sees it as it was before'],
  },
  {
    name: 'who was given up is kept for the way back',
    file: 'plan/warm.ts',
    snippet: 'revision !== stable && revision.marks.aborted === undefined',
    replacement: 'revision !== stable',
    caughtBy: 'I2',
    near: ['v3 comes while users are rolled back to v1'],
  },
  {
    name: 'proxies have learned routes so long after somebody meant to write them',
    file: 'plan/proof.ts',
    snippet: 'const elapsedMs = nowMs - writtenAtMs(',
    replacement: 'const elapsedMs = nowMs - askedAtMs(',
    caughtBy: 'I3',
    near: ['the user joins the mesh with v2 in hand, and the write of the first routes takes long'],
  },
  {
    name: 'nobody is asked again which model is served',
    file: 'plan/plan.ts',
    snippet: 'lookForModelMs(modelDeployment.status, nowMs) !== undefined ||',
    replacement: '',
    caughtBy: 'I12',
    near: ['without a mesh: v2 serves, and no runtime has named its model'],
  },
  {
    name: 'a preview is shown before every proxy knows its destination',
    file: 'plan/next-routing.ts',
    snippet:
      'return hasPreview(facts.askedRouting, preview) || (mayRaise && canTake(facts, preview.revision, 0));',
    replacement: 'return facts.revisions.get(preview.revision)?.objects.has("Service") ?? false;',
    caughtBy: 'I3',
  },
  {
    name: 'a shadow answers as many users as it gets copies',
    file: 'strategies/shadow.ts',
    snippet: '...splitBetween(stable, candidate, 0),',
    replacement: '...splitBetween(stable, candidate, weight),',
    caughtBy: 'I1',
  },
  {
    name: 'blue and green share the users for a while',
    file: 'strategies/blue-green.ts',
    snippet: 'splitBetween(stable, candidate, isSwitched ? FULL_WEIGHT : floorWeight)',
    replacement:
      'splitBetween(stable, candidate, stepIndex > SWITCH ? FULL_WEIGHT : isSwitched ? 5_000 : floorWeight)',
    caughtBy: 'I4',
  },
  {
    name: 'the old side goes at once',
    file: 'plan/rules.ts',
    snippet: 'const warm = keptWarm(facts, nowMs);',
    replacement: 'const warm = undefined as ReturnType<typeof keptWarm>;',
    caughtBy: 'I2',
  },
  {
    name: 'what is being deleted is kept whole',
    file: 'plan/rules.ts',
    snippet: '  deleting, // owner references do the rest\n',
    replacement: '',
    caughtBy: 'I14',
  },
  {
    name: 'everything is written in every pass',
    file: 'plan/writes.ts',
    snippet: '|| !needsApply(live, desired)) return [];',
    replacement: ') return [];',
    caughtBy: 'I16',
  },
  {
    name: 'the record of an abort is not read',
    file: 'resources/controller-revision.ts',
    snippet: '...(aborted !== undefined && { aborted: readAborted(aborted) }),',
    replacement: '',
    caughtBy: 'I12',
  },
  {
    name: 'a Deployment is only made in the pass that records its revision',
    file: 'plan/writes.ts',
    snippet: "const live = objects.get('Deployment');",
    replacement:
      "const live = objects.get('Deployment');\n  if (!live && objects.has('ControllerRevision')) return [];",
    caughtBy: 'I10',
  },
  {
    name: 'a decision is heard until it says so itself',
    file: 'decisions/decide.ts',
    snippet: "&& !answered.has(decision.metadata.uid ?? '')",
    replacement: "&& (decision.metadata.uid !== undefined || answered.has(''))",
    caughtBy: 'I10',
  },
  {
    name: 'a decision is about whatever rollout there is',
    file: 'decisions/decide.ts',
    snippet: 'if (spec.rollout !== rolloutId) {',
    replacement: "if (spec.rollout === '') {",
    caughtBy: 'I10',
  },
  {
    name: 'an answer is written only in the pass that hears the decision',
    file: 'plan/plan.ts',
    snippet: 'answers: answersOf(facts.observed, status, nowMs),',
    replacement: 'answers: [],',
    caughtBy: 'I12',
  },
  {
    name: 'people are heard before a broken candidate has lost its users',
    file: 'plan/plan.ts',
    snippet: 'comesFirst(facts, intent) ? undefined : hearNext(facts, proof, nowMs)',
    replacement: 'comesFirst(facts, intent) ? hearNext(facts, proof, nowMs) : hearNext(facts, proof, nowMs)',
    caughtBy: 'I13',
  },
  {
    name: 'nobody may abort what is paused',
    file: 'decisions/under-way.ts',
    snippet: '  Abort: abort,',
    replacement: '  Abort: unlessPaused(abort),',
    caughtBy: 'I13',
  },
  {
    name: 'a rollout goes on while somebody has paused it',
    file: 'plan/stages.ts',
    snippet: '    isHeld: true,\n',
    replacement: '',
    caughtBy: 'I13',
  },
  {
    name: 'a rollback is done once more whenever the spec asks again for what was left',
    file: 'plan/facts.ts',
    snippet: 'return isOver ? undefined : rollbackTo;',
    replacement: 'return isOver ? rollbackTo : rollbackTo;',
    caughtBy: 'I13',
  },
  {
    name: 'what was superseded goes although routes name it',
    file: 'plan/retirement.ts',
    snippet:
      '!facts.liveRoutings.some((asked) => references(asked, revision.name)) &&\n      !references(routing, revision.name) &&\n      provenLongEnough(proof, nowMs) &&',
    replacement: '!references(routing, revision.name) &&',
    caughtBy: 'I15',
  },
  {
    name: 'all of what was superseded goes at once',
    file: 'plan/writes.ts',
    snippet: 'return isRunning(revision)\n    ? endPods(revision)\n    : removeKinds(revision, [',
    replacement: "return removeKinds(revision, ['Deployment', ",
    caughtBy: 'I15',
  },
  {
    name: 'labels of whoever are applied as if they were ours',
    file: 'plan/writes.ts',
    snippet: "return { kind: 'Apply', object: withAppliedHash(desired), expected: versionOf(live) };",
    replacement:
      'const labels = { ...live.metadata.labels, ...desired.metadata.labels };\n' +
      '  const object = withAppliedHash({ ...desired, metadata: { ...desired.metadata, labels } });\n' +
      "  return { kind: 'Apply', object, expected: versionOf(live) };",
    caughtBy: 'I5',
  },
  {
    name: 'an autoscaler is applied as it was found, with what is wanted over it',
    file: 'plan/writes.ts',
    snippet: "...applyWhenDifferent(objects.get('HorizontalPodAutoscaler'), autoscaler),",
    replacement:
      "...applyWhenDifferent(objects.get('HorizontalPodAutoscaler'), { ...autoscaler, spec: " +
      "{ ...(objects.get('HorizontalPodAutoscaler') as typeof autoscaler | undefined)?.spec, ...autoscaler.spec } }),",
    caughtBy: 'I5',
  },
  {
    name: 'EndpointSlices that are behind are no doubt',
    file: 'plan/proof.ts',
    snippet: 'EntryService: [endpointsUnknown, endpointsBehind, proxiesLinger],',
    replacement: 'EntryService: [endpointsUnknown, proxiesLinger],',
    caughtBy: 'I11',
  },
  {
    name: 'new connections to the old side are not waited for',
    file: 'plan/retirement.ts',
    snippet:
      'lastConnectionSecondsAgo === undefined ? isUnused(report) : isLongAgo(lastConnectionSecondsAgo)',
    replacement: 'lastConnectionSecondsAgo === undefined ? isUnused(report) : true',
    caughtBy: 'I2',
  },
  {
    name: 'a rolling update ends the stable first',
    file: 'strategies/rolling-update.ts',
    snippet: 'candidateShare: share }',
    replacement: 'candidateShare: share, endsStableFirst: true }',
    caughtBy: 'I13',
  },
  {
    name: 'the next revision starts before there is room for it',
    file: 'plan/writes.ts',
    snippet: 'return ending !== undefined && ending !== revision && isRunning(ending);',
    replacement: 'return ending?.name === revision.name && isRunning(ending);',
    caughtBy: 'I7',
  },
];
