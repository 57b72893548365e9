import { VirtualClock } from '@earshot/async';
import { afterEach, describe, expect, it } from 'vitest';
import { LinkRetry } from '../src/host/link-retry.js';
import { testPackets, testParticipant } from './fixtures.js';
import type { HostStageOptions } from './host-stage.js';
import { gone, HostStage } from './host-stage.js';

const PING_MS = 5_000;

describe('LinkRetry', () => {
  const delays = (retry: LinkRetry, count: number): number[] =>
    Array.from({ length: count }, () => retry.nextDelayMs(1));

  it('waits longer from try to try, up to 3 s, by a share of it that chance picks', () => {
    expect(delays(new LinkRetry(), 7)).toEqual([100, 200, 400, 800, 1_600, 3_000, 3_000]);
    expect(new LinkRetry().nextDelayMs(0.25)).toBe(25);
  });

  it('begins anew after a link that lived for a ping interval, and not after a shorter one', () => {
    const retry = new LinkRetry();
    delays(retry, 3);
    retry.ended(1006, PING_MS - 1, PING_MS);
    expect(retry.nextDelayMs(1)).toBe(800);
    retry.ended(1006, PING_MS, PING_MS);
    expect(retry.nextDelayMs(1)).toBe(100);
  });

  it.each([1006, 4408, 4429, 4500, 4599])('dials again after %i, however often', (code) => {
    const retry = new LinkRetry();
    for (let n = 0; n < 20; n += 1) expect(retry.ended(code, 0, PING_MS)).toBe(true);
  });

  it.each([1001, 4401, 4409, 4426, 4503])('waits for an attach after %i', (code) => {
    expect(new LinkRetry().ended(code, 60_000, PING_MS)).toBe(false);
  });

  it.each([1002, 1007, 1008, 1009, 4400, 4413, 4499])(
    'dials again after %i three times',
    (code) => {
      const retry = new LinkRetry();
      const ends = (): boolean => retry.ended(code, 0, PING_MS);
      expect([ends(), ends(), ends(), ends()]).toEqual([true, true, true, false]);
      retry.ended(1006, 0, PING_MS);
      expect(ends()).toBe(true);
    },
  );
});

let stage: HostStage;

async function open(options: HostStageOptions = {}): Promise<void> {
  stage = await HostStage.open(options);
}

afterEach(() => stage?.close());

describe('the media link of a session', () => {
  it('is dialled again with the token that the last welcome gave', async () => {
    await open({ givesResumeTokens: true });
    const { mediaId } = stage.begin('c_tokens');
    await stage.attach(mediaId, 'c_tokens.1', 1);
    for (const count of [2, 3]) {
      stage.sockets.items.at(-1)!.destroy();
      await stage.isActive(count);
    }
    expect(stage.bearers.items).toEqual(['c_tokens.1', 'c_tokens.1.1', 'c_tokens.1.2']);
  });

  it('is dialled again with the same token when the worker gives none', async () => {
    await open();
    const { mediaId } = stage.begin('c_token');
    await stage.attach(mediaId, 'c_token.1', 1);
    stage.sockets.items.at(-1)!.destroy();
    await stage.isActive(2);
    expect(stage.bearers.items).toEqual(['c_token.1', 'c_token.1']);
  });

  it.each([
    [1001, 'going_away'],
    [4409, 'lease_lost'],
    [4503, 'draining'],
  ])('is given up after %i, and the session waits for an attach', async (code, reason) => {
    await open();
    const { mediaId, session } = stage.begin('c_left');
    await stage.attach(mediaId, 'c_left.1', 1);
    const speaker = testParticipant({ packets: testPackets(100) });
    session.join(speaker);
    stage.worker.links[0]!.session.close(code, reason);
    await stage.states.first((state) => state === `failed closed_${code}`);
    session.frame(speaker, 0, 0);
    session.flush();
    await stage.attach(mediaId, 'c_left.2', 2);
    await stage.worker.heard.first(() => true);
    expect(stage.worker.links[1]?.streams.get(1)?.frames).toMatchObject([{ sequence: 0 }]);
    expect(stage.states.items).not.toContain('inactive link_interrupted');
  });

  it('goes on while the same epoch is dialled anew, and ends when the new one is open', async () => {
    await open();
    const { mediaId } = stage.begin('c_same');
    await stage.attach(mediaId, 'c_same.1', 1);
    await expect(stage.attach(mediaId, 'bad', 1)).rejects.toMatchObject({ code: 'unauthorized' });
    const [first] = stage.sockets.items;
    expect(first!.closed).toBe(false);
    await stage.attach(mediaId, 'c_same.1.fresh', 1);
    await gone(first!);
    expect(stage.worker.links.map(({ bearer, bye }) => [bearer, bye])).toEqual([
      ['c_same.1', undefined],
      ['c_same.1.fresh', undefined],
    ]);
    expect(stage.states.items).toEqual(['active', 'active']);
  });

  it.each([
    ['a newer epoch', 'c_slow.3', 3],
    ['the same epoch again', 'c_slow.2.fresh', 2],
  ])('goes to no worker before the one it left is done, also for %s', async (_, token, epoch) => {
    await open();
    const { worker } = stage;
    worker.finishes = false;
    const { mediaId } = stage.begin('c_slow');
    await stage.attach(mediaId, 'c_slow.1', 1);
    const attached = [stage.attach(mediaId, 'c_slow.2', 2), stage.attach(mediaId, token, epoch)];
    const settled = Promise.allSettled(attached);
    const left = await worker.byes.first(({ bye }) => bye === 'reattach');
    // A dial of another session, made after what this one may have dialled too early, is over.
    const other = stage.begin('c_other');
    await stage.attach(other.mediaId, 'c_other.1', 1);
    expect(stage.bearers.items).toEqual(['c_slow.1', 'c_other.1']);
    worker.finish(left);
    await settled;
    expect(stage.bearers.items.at(-1)).toBe(token);
    worker.finishes = true;
  });

  it('is tried for a moment when the worker can not be reached, and then refused', async () => {
    await open();
    const { mediaId } = stage.begin('c_nobody');
    // A port that is given to nobody who asks for any.
    const workerUrl = 'ws://127.0.0.1:1/v1/media-link';
    await expect(
      stage.host.attach(mediaId, { workerUrl, token: 'c_nobody.1', epoch: 1 }),
    ).rejects.toMatchObject({ code: 'connect_failed' });
    await stage.attach(mediaId, 'c_nobody.2', 2);
    expect(stage.worker.links).toHaveLength(1);
  });
});

describe('a session over links', () => {
  it('loses nothing and counts nothing, wherever the link breaks', async () => {
    await open();
    const { worker } = stage;
    const { mediaId, session } = stage.begin('c_breaks');
    await stage.attach(mediaId, 'c_breaks.1', 1);
    const speaker = testParticipant({ packets: testPackets(300) });
    session.join(speaker);
    for (let frame = 0; frame < 300; frame += 1) {
      session.frame(speaker, frame, frame * 20);
      session.flush();
      if (frame % 60 !== 30) continue;
      const count = worker.links.length;
      stage.sockets.items.at(-1)!.destroy();
      await stage.isActive(count + 1);
    }
    session.end();
    await worker.byes.first(() => true);
    await gone(stage.sockets.items.at(-1)!);
    const heard = worker.links.flatMap(({ streams }) => streams.get(1)?.frames ?? []);
    expect(heard.map(({ number }) => number)).toEqual(Array.from({ length: 300 }, (_, n) => n));
    expect(session.accounts()).toMatchObject([{ isComplete: true, lost: 0 }]);
    expect(worker.links.length).toBe(6);
  });
});

describe('a link that can not be opened again', () => {
  it('is given up after 30 s, and said to have failed', async () => {
    const clock = new VirtualClock();
    await open({ hostClock: clock });
    const { mediaId } = stage.begin('c_gone');
    await stage.attach(mediaId, 'c_gone.1', 1);
    stage.server.close();
    stage.server.closeAllConnections();
    stage.sockets.items.at(-1)!.destroy();
    await stage.states.first((state) => state === 'inactive link_interrupted');
    clock.advance(29_999);
    expect(stage.states.items.at(-1)).toBe('inactive link_interrupted');
    clock.advance(1);
    expect(stage.states.items.at(-1)).toBe('failed unreachable');
  });

  it('tells of the keys that the platform is told of, as they are pressed', async () => {
    await open();
    const { mediaId, session } = stage.begin('c_keys');
    await stage.attach(mediaId, 'c_keys.1', 1);
    const toneEvents = [{ digit: '5', startMs: 30 } as const, { digit: '#', startMs: 60 } as const];
    const caller = testParticipant({ packets: testPackets(5), kind: 'phone', toneEvents });
    session.join(caller);
    for (let frame = 0; frame < 5; frame += 1) session.frame(caller, frame, frame * 20);
    const [link] = stage.worker.links;
    await link!.tones.first(() => link!.tones.items.length === 2);
    const epochTicks = BigInt(link!.hello.mediaEpochTicks);
    expect(
      link!.tones.items.map(({ tone, sourceId, captureTicks }) => ({
        ...{ tone, sourceId, atMs: Number(BigInt(captureTicks) - epochTicks) / 10_000 },
      })),
    ).toEqual([
      { tone: 'tone5', sourceId: '201', atMs: 30 },
      { tone: 'pound', sourceId: '201', atMs: 60 },
    ]);
  });
});
