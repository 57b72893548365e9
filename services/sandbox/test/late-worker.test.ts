import { VirtualClock } from '@earshot/async';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { MediaSession } from '../src/host/media-session.js';
import { testPackets, testParticipant } from './fixtures.js';
import { HostStage } from './host-stage.js';

const DRAIN_MS = 10_000;
const FRAMES = 50;

describe('a call that ends before any worker has come', () => {
  let clock: VirtualClock;
  let stage: HostStage;
  let mediaId: string;
  let session: MediaSession;

  beforeEach(async () => {
    clock = new VirtualClock();
    stage = await HostStage.open({ hostClock: clock });
    ({ mediaId, session } = stage.begin('c_late'));
  });

  afterEach(() => stage.close());

  function speak(): void {
    const speaker = testParticipant({ packets: testPackets(FRAMES) });
    session.join(speaker);
    for (let frame = 0; frame < FRAMES; frame += 1) session.frame(speaker, frame, frame * 20);
  }

  it('is heard by the one that comes, to the last frame', async () => {
    speak();
    session.end();
    expect(session.isEnded).toBe(false);
    await stage.attach(mediaId, 'c_late.1', 1);
    const { bye, streams } = await stage.worker.byes.first(() => true);
    expect(bye).toBe('callEnded');
    const numbers = streams.get(1)?.frames.map(({ number }) => number);
    expect(numbers).toEqual(Array.from({ length: FRAMES }, (_, n) => n));
    await stage.states.first((state) => state === 'ended callEnded');
    expect(stage.host.stats.activeCalls).toBe(0);
  });

  it('is over after ten seconds when none comes', async () => {
    speak();
    session.end();
    clock.advance(DRAIN_MS - 1);
    expect(stage.host.stats.activeCalls).toBe(1);
    clock.advance(1);
    expect(stage.states.items).toEqual(['ended callEnded']);
    expect(stage.host.stats.activeCalls).toBe(0);
    await expect(stage.attach(mediaId, 'c_late.1', 1)).rejects.toMatchObject({
      code: 'media_not_found',
    });
  });

  it('is over at once when it is let go of', () => {
    speak();
    session.end();
    stage.host.release(mediaId);
    expect(stage.states.items).toEqual(['ended released']);
    expect(stage.host.stats.activeCalls).toBe(0);
  });

  it('is over at once when nobody has said anything', () => {
    session.end();
    expect(stage.states.items).toEqual(['ended callEnded']);
  });
});
