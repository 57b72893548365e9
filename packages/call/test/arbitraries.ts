import fc from 'fast-check';

/** Indices below `count` in a random order, each at least once and some more often. */
export function shuffledAndRepeated(count: number): fc.Arbitrary<number[]> {
  const all = Array.from({ length: count }, (_, index) => index);
  return fc
    .array(fc.nat(count - 1), { maxLength: count })
    .chain((again) => fc.shuffledSubarray([...all, ...again], { minLength: count + again.length }));
}

export const guid: fc.Arbitrary<string> = fc.uuid();

/** Keys and values that Graph uses, put together at random, among arbitrary JSON. */
export const graphLikeJson: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
  node: fc.oneof(
    { maxDepth: 5, withCrossShrink: true },
    fc.constantFrom(
      null,
      '',
      '0',
      '200',
      'audio',
      'established',
      'deleted',
      '/communications/calls/a/participants',
      "/app/calls('a')",
      '/communications/calls/a/operations/b',
      '#microsoft.graph.deltaParticipants',
      Number.NaN,
      -1,
      2 ** 60,
    ),
    fc.jsonValue(),
    fc.array(tie('node'), { maxLength: 4 }),
    fc.dictionary(
      fc.constantFrom(
        'value',
        'changeType',
        'resource',
        'resourceUrl',
        'resourceData',
        'id',
        'state',
        'info',
        'identity',
        'user',
        'mediaStreams',
        'sourceId',
        'resultInfo',
        'code',
        'toneInfo',
        'participants',
        'sequenceNumber',
        '@odata.type',
        'removedState',
        'rosterSequenceNumber',
        '__proto__',
      ),
      tie('node'),
      { maxKeys: 8 },
    ),
  ),
})).node;
