import { VirtualClock } from '@earshot/async';
import { closedGate, RecordingGate, reduceGate } from '@earshot/recording-gate';
import type { FinalEvent } from '@earshot/transcript';
import { describe, expect, it } from 'vitest';
import { useRedis } from './support.js';

const redis = useRedis();
const OPEN = reduceGate(closedGate('declaration'), { kind: 'declared' });
const CLOSED_AGAIN = reduceGate(OPEN, { kind: 'closed', reason: 'withdrawn' });
const OPTIONS = { callId: 'c_1', ttlMs: 3_600_000 };
/** Spoken after any gate here was opened. */
const LATER_MS = Date.parse('2100-01-01T00:00:00Z');

function said(utteranceId: string, text = utteranceId): FinalEvent {
  return {
    ...{ id: `${utteranceId}.final`, type: 'transcript.final', callId: 'c_1', epoch: 1 },
    ...{ wallclock: '2100-01-01T00:00:00.000Z', participant: null, sourceId: '7' },
    data: {
      ...{ utteranceId, text, startMs: 0, endMs: 1000, words: [], gaps: [] },
      ...{ confidence: null, engine: 'test', language: 'en-US' },
    },
  };
}

async function keptOf(callId = 'c_1') {
  const registry = await redis.registry();
  const { events, dropped } = await registry.transcripts.read(callId);
  return { ids: events.map(({ id }) => id), dropped };
}

/** A permit, as a recorder gets it. */
function permitOf(gate: RecordingGate) {
  gate.follow(OPEN);
  const permit = gate.permit();
  if (permit === undefined) throw new Error('the gate must be open');
  return permit;
}

function newGate(): RecordingGate {
  return new RecordingGate({ clock: new VirtualClock(), staleAfterMs: 2000 });
}

describe('kept transcripts', () => {
  it('are what was written while the permit was valid and the gate open', async () => {
    const registry = await redis.registry();
    const gate = newGate();
    const writer = registry.transcripts.writer(permitOf(gate), OPTIONS);
    await registry.setRecordingGate('c_1', OPEN);
    expect(await writer.keep(said('one'), LATER_MS)).toEqual({ isKept: true, dropped: 0 });
    gate.close();
    expect(await writer.keep(said('two'), LATER_MS)).toEqual({ isKept: false, dropped: 0 });
    expect(await keptOf()).toEqual({ ids: ['one.final'], dropped: 0 });
    for (const name of ['transcript', 'transcript-size']) {
      expect(await redis.raw.pttl(`earshot:{c_1}:${name}`)).toBeGreaterThan(3_500_000);
    }
  });

  it('are not written with a permit that is not revoked yet, once the gate has closed', async () => {
    const registry = await redis.registry();
    const writer = registry.transcripts.writer(permitOf(newGate()), OPTIONS);
    const notKept = { isKept: false, dropped: 0 };
    expect(await writer.keep(said('never open'), LATER_MS)).toEqual(notKept);
    await registry.setRecordingGate('c_1', OPEN);
    await registry.setRecordingGate('c_1', CLOSED_AGAIN);
    expect(await writer.keep(said('closed'), LATER_MS)).toEqual(notKept);
    await registry.setRecordingGate('c_1', reduceGate(CLOSED_AGAIN, { kind: 'declared' }));
    await redis.raw.hset('earshot:{c_1}:recording-gate', 'until', 1);
    expect(await writer.keep(said('not told lately'), LATER_MS)).toEqual(notKept);
    expect(await redis.raw.keys('*transcript*')).toEqual([]);
  });

  it('are not of what was spoken before the gate opened, though told again', async () => {
    const registry = await redis.registry();
    const writer = registry.transcripts.writer(permitOf(newGate()), OPTIONS);
    await registry.setRecordingGate('c_1', OPEN);
    const since = Number(await redis.raw.hget('earshot:{c_1}:recording-gate', 'since'));
    await registry.setRecordingGate('c_1', OPEN);
    expect((await writer.keep(said('before'), since - 1)).isKept).toBe(false);
    expect((await writer.keep(said('after'), since)).isKept).toBe(true);
    expect((await keptOf()).ids).toEqual(['after.final']);
  });

  it('are bounded: the oldest gives way, and is counted', async () => {
    const registry = await redis.registry();
    const writer = registry.transcripts.writer(permitOf(newGate()), OPTIONS);
    await registry.setRecordingGate('c_1', OPEN);
    const large = said('large', 'x'.repeat(17 * 1024 * 1024));
    await writer.keep(said('small'), LATER_MS);
    await writer.keep(large, LATER_MS);
    expect(await writer.keep(large, LATER_MS)).toEqual({ isKept: true, dropped: 2 });
    expect(await keptOf()).toMatchObject({ ids: [large.id], dropped: 2 });
    const filling = redis.raw.pipeline();
    for (let n = 0; n < 10_000; n += 1) filling.rpush('earshot:{c_1}:transcript', '{"id":"n"}');
    await filling.exec();
    expect((await writer.keep(said('last'), LATER_MS)).dropped).toBe(2);
    const { ids } = await keptOf();
    expect(ids).toHaveLength(10_000);
    expect(ids.at(-1)).toBe('last.final');
  });

  it('are gone once they were deleted', async () => {
    const registry = await redis.registry();
    const writer = registry.transcripts.writer(permitOf(newGate()), OPTIONS);
    await registry.setRecordingGate('c_1', OPEN);
    await writer.keep(said('one'), LATER_MS);
    expect(await registry.transcripts.delete('c_1')).toBe(true);
    expect(await registry.transcripts.delete('c_1')).toBe(false);
    expect(await redis.raw.keys('*transcript*')).toEqual([]);
  });
});
