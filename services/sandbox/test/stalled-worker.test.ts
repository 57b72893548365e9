import { setImmediate as turn } from 'node:timers/promises';
import { VirtualClock } from '@earshot/async';
import { afterEach, describe, expect, it } from 'vitest';
import type { MeetingParticipant } from '../src/meetings/meeting.js';
import { testParticipant } from './fixtures.js';
import { gone, HostStage } from './host-stage.js';

const MIB = 1024 * 1024;
const SPEAKERS = 4;
const PACKET_BYTES = 1_275;
const WINDOW_FRAMES = 50;

let stage: HostStage;

afterEach(() => stage.close());

function speakers(packets: number): MeetingParticipant[] {
  const packet = new Uint8Array(PACKET_BYTES).fill(0x48);
  return Array.from({ length: SPEAKERS }, (_, n) =>
    testParticipant({
      key: `s${n}`,
      sourceId: String(201 + n),
      packets: Array.from({ length: packets }, () => packet),
    }),
  );
}

/** Slots that the worker was told of, by stream. */
function toldFrames(streamId: number): number {
  const ranges = stage.worker.links[0]!.discarded.filter((range) => range.streamId === streamId);
  return ranges.reduce((sum, { frames }) => sum + frames, 0);
}

describe('a host whose worker takes nothing', () => {
  it('keeps its memory bounded without credit, and counts what it gave up as the worker does', async () => {
    stage = await HostStage.open({ replayWindowMs: WINDOW_FRAMES * 20, creditFrames: 0 });
    const { mediaId, session } = stage.begin('c_credit');
    await stage.attach(mediaId, 'c_credit.1', 1);
    const all = speakers(2_000);
    for (const speaker of all) session.join(speaker);
    for (let frame = 0; frame < 2_000; frame += 1) {
      for (const speaker of all) {
        if (frame % 100 === 7) session.missing(speaker);
        else session.frame(speaker, frame, frame * 20);
      }
      session.flush();
      expect(session.held.ringBytes).toBeLessThanOrEqual(SPEAKERS * WINDOW_FRAMES * PACKET_BYTES);
    }
    expect(session.held.socketBytes).toBeLessThan(4_096);
    expect(stage.worker.heard.items).toEqual([]);

    const { worker } = stage;
    worker.creditFrames = 1_000;
    worker.acknowledge(worker.links[0]!);
    session.end();
    await gone(stage.sockets.items[0]!);
    const [link] = worker.links;
    for (const stream of link!.streams.values()) {
      expect(stream.frames).toHaveLength(WINDOW_FRAMES);
      expect(toldFrames(stream.streamId)).toBe(stream.frames[0]?.sequence);
      expect(link!.discarded.every(({ reason }) => reason === 'overflow')).toBe(true);
    }
    expect(session.accounts()).toHaveLength(SPEAKERS);
    for (const account of session.accounts()) {
      expect(account).toMatchObject({ isComplete: true, lost: 2_000 - WINDOW_FRAMES });
      expect(account.workerLost).toBe(account.lost);
    }
    expect(stage.host.stats.accountMismatches).toBe(0);
  });

  it('keeps its memory bounded when the socket is not read, and goes on when it is', async () => {
    // Clocks that stand still: however long it takes, no end is taken for dead by the other.
    const clock = new VirtualClock(Date.now());
    const clocks = { clock, hostClock: clock };
    stage = await HostStage.open({ replayWindowMs: 30_000, creditFrames: 1_000_000, ...clocks });
    const { worker } = stage;
    const { mediaId, session } = stage.begin('c_unread');
    await stage.attach(mediaId, 'c_unread.1', 1);
    const [socket] = stage.sockets.items;
    socket!.pause();
    const frames = 12_000;
    const all = speakers(frames);
    for (const speaker of all) session.join(speaker);
    let mostSocketBytes = 0;
    let mostRingBytes = 0;
    for (let frame = 0; frame < frames; frame += 1) {
      for (const speaker of all) session.frame(speaker, frame, frame * 20);
      session.flush();
      const { ringBytes, socketBytes } = session.held;
      mostSocketBytes = Math.max(mostSocketBytes, socketBytes);
      mostRingBytes = Math.max(mostRingBytes, ringBytes);
      if (frame % 20 === 0) await turn();
    }
    expect(mostSocketBytes).toBeGreaterThan(0.25 * MIB);
    expect(mostSocketBytes).toBeLessThanOrEqual(MIB);
    expect(mostRingBytes).toBeLessThanOrEqual(SPEAKERS * 1_500 * PACKET_BYTES);

    socket!.resume();
    session.end();
    await gone(stage.sockets.items[0]!);
    const [link] = worker.links;
    for (const stream of link!.streams.values()) {
      expect(stream.frames.length + toldFrames(stream.streamId)).toBe(frames);
      expect(toldFrames(stream.streamId)).toBeGreaterThan(0);
    }
    for (const account of session.accounts()) {
      expect(account).toMatchObject({ isComplete: true });
      expect(account.workerLost).toBe(account.lost);
    }
  });
});
