import { VirtualClock } from '@earshot/async';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { pauseMs } from '../src/calls/call-driver.js';
import { ANSWERING_OWNERSHIP_MS, HOST_PATIENCE_MS } from '../src/incoming/answerer.js';
import {
  ANSWER_POLICY_RECORDING_WITHIN_MS,
  ANSWER_WITHIN_MS,
} from '../src/incoming/incoming-changes.js';
import type { TestHost } from './support/harness.js';
import { Harness, WAIT } from './support/harness.js';
import { callOfLeg, ring } from './support/incoming.js';

const ENVIRONMENT = { EARSHOT_INCOMING: 'all' };

describe('the time to answer', () => {
  let harness: Harness;
  let clock: VirtualClock;
  let host: TestHost;
  /** Gives the blobs that were asked for. */
  let blobs: (() => void)[];

  beforeEach(async () => {
    harness = await Harness.open();
    clock = new VirtualClock();
    blobs = [];
    await harness.start({ clock, environment: ENVIRONMENT });
    host = await harness.host({
      allocate: (callId) =>
        new Promise((resolve) => {
          blobs.push(() => resolve({ mediaId: `m-${callId}`, blob: `blob-${callId}` }));
        }),
    });
  });
  afterEach(() => harness.close());

  it('is 5 s under a recording policy; a call that was missed is told, and not answered', async () => {
    const { leg } = await ring(harness, 'policyRecording');
    const { id } = await callOfLeg(harness, leg);
    await vi.waitUntil(() => blobs.length > 0, WAIT);
    clock.advance(ANSWER_POLICY_RECORDING_WITHIN_MS - 1);
    await harness.get('/v1/hosts');
    expect((await harness.call(id)).state).toBe('incoming');
    clock.advance(1);
    const call = await harness.reaches(id, 'terminated');
    expect(call.result).toMatchObject({ cause: 'not_answered', retryClass: 'backOff' });
    for (const give of blobs) give();
    // What the host prepared too late is given back; Graph hears of nothing.
    await vi.waitUntil(() => host.released.includes(`m-${id}`), WAIT);
    expect(harness.graph.count('POST', `${leg.id}/answer`)).toBe(0);
    expect(harness.graph.count('POST', `${leg.id}/reject`)).toBe(0);
    await harness.closed(id);
    expect(await harness.metric('earshot_incoming_calls_total')).toBe(1);
  });

  it('is longer for other calls', async () => {
    const { leg } = await ring(harness, 'user');
    await vi.waitUntil(() => blobs.length > 0, WAIT);
    clock.advance(ANSWER_POLICY_RECORDING_WITHIN_MS);
    await harness.get('/v1/hosts');
    for (const give of blobs) give();
    await vi.waitUntil(() => harness.graph.count('POST', `${leg.id}/answer`) === 1, WAIT);
  });

  it('is not spent on a host that hangs while another has room', async () => {
    const other = await harness.host();
    const { leg } = await ring(harness, 'policyRecording');
    const { id } = await callOfLeg(harness, leg);
    await vi.waitUntil(() => host.allocated.includes(id), WAIT);
    clock.advance(HOST_PATIENCE_MS);
    await vi.waitUntil(() => harness.graph.count('POST', `${leg.id}/answer`) === 1, WAIT);
    expect((await harness.call(id)).media.hostId).toBe(other.hostId);
    for (const give of blobs) give();
    await vi.waitUntil(() => host.released.includes(`m-${id}`), WAIT);
  });

  it('is not spent on pauses: what failed is tried again soon, by whoever goes on', () => {
    for (let attempts = 1; attempts <= 100; attempts += 1) {
      const longestMs = pauseMs('answer', attempts, 1);
      expect(ANSWERING_OWNERSHIP_MS + longestMs).toBeLessThan(
        ANSWER_POLICY_RECORDING_WITHIN_MS - 1_000,
      );
      expect(pauseMs('answer', attempts, 0)).toBeGreaterThan(0);
    }
  });

  it('may pass while no process is there: the next one ends the call', async () => {
    const { leg } = await ring(harness, 'user');
    const { id } = await callOfLeg(harness, leg);
    await vi.waitUntil(() => blobs.length > 0, WAIT);
    await harness.stop();
    expect(harness.graph.count('POST', `${leg.id}/reject`)).toBe(0);
    clock.advance(ANSWER_WITHIN_MS);
    await harness.start({ clock, environment: ENVIRONMENT });
    expect((await harness.reaches(id, 'terminated')).result?.cause).toBe('not_answered');
    expect(harness.graph.count('POST', `${leg.id}/answer`)).toBe(0);
  });
});
