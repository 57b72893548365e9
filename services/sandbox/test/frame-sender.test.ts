import { CODEC, FLAG, FrameCursor, relativeMs } from '@earshot/bridge-protocol';
import { describe, expect, it } from 'vitest';
import { FrameSender } from '../src/host/frame-sender.js';
import { HostStream } from '../src/host/host-stream.js';
import { MediaTicks } from '../src/host/media-ticks.js';
import { packetNumber, testPackets, testParticipant } from './fixtures.js';

const BOUNDS = { frames: 400, bytes: 1_000_000 };
const EPOCH = { high: 8_870_000, low: 0xffff_ff00 };

interface Received {
  readonly streamId: number;
  readonly sequence: number;
  readonly timeMs: number;
  readonly flags: number;
  readonly number: number;
}

/** Takes messages apart, one list of frames a message. */
class Outlet {
  readonly messages: Received[][] = [];
  bufferedBytes = 0;

  sendFrames(bytes: Uint8Array): boolean {
    const cursor = new FrameCursor();
    expect(cursor.open(bytes)).toBeUndefined();
    const frames: Received[] = [];
    while (cursor.next()) {
      expect(cursor.codec).toBe(CODEC.opus);
      const end = cursor.payloadOffset + cursor.payloadLength;
      frames.push({
        streamId: cursor.streamId,
        sequence: cursor.sequence,
        timeMs: relativeMs(cursor.ticksHigh, cursor.ticksLow, EPOCH.high, EPOCH.low),
        flags: cursor.flags,
        number: packetNumber(cursor.bytes.slice(cursor.payloadOffset, end)),
      });
    }
    this.messages.push(frames);
    return true;
  }
}

function stream(streamId: number, packets = 400): HostStream {
  return new HostStream(streamId, testParticipant({ packets: testPackets(packets) }), BOUNDS);
}

function setUp(): { sender: FrameSender; outlet: Outlet; ticks: MediaTicks } {
  return {
    sender: new FrameSender({ frames: 0, replayed: 0, messages: 0 }),
    outlet: new Outlet(),
    ticks: new MediaTicks(EPOCH.high, EPOCH.low),
  };
}

describe('FrameSender', () => {
  it('puts what is ready of all streams into one message, in the order of capture', () => {
    const { sender, outlet, ticks } = setUp();
    const a = stream(1);
    const b = stream(2);
    for (const frame of [0, 1, 2]) a.push(frame, frame * 20);
    for (const frame of [0, 1]) b.push(frame, 30 + frame * 20);
    sender.send([b, a], ticks, 100, outlet);
    expect(outlet.messages).toHaveLength(1);
    expect(outlet.messages[0]?.map((f) => [f.streamId, f.timeMs])).toEqual([
      [1, 0],
      [2, 30],
      [1, 20],
      [2, 50],
      [1, 40],
    ]);
  });

  it('counts missing slots in the sequence, and marks silence as a discontinuity only', () => {
    const { sender, outlet, ticks } = setUp();
    const a = stream(1);
    a.push(0, 0);
    a.skip();
    a.push(2, 40);
    a.push(9, 180);
    sender.send([a], ticks, 100, outlet);
    expect(outlet.messages[0]?.map((f) => [f.sequence, f.number, f.flags])).toEqual([
      [0, 0, 0],
      [2, 2, 0],
      [3, 9, FLAG.discontinuity],
    ]);
    expect(a.nextSequence).toBe(4);
  });

  it('keeps to the credit of each stream until frames are received', () => {
    const { sender, outlet, ticks } = setUp();
    const a = stream(1);
    const b = stream(2);
    for (let frame = 0; frame < 10; frame += 1) {
      a.push(frame, frame * 20);
      b.push(frame, frame * 20);
    }
    sender.send([a, b], ticks, 6, outlet);
    expect(outlet.messages[0]).toHaveLength(12);
    sender.send([a, b], ticks, 6, outlet);
    expect(outlet.messages).toHaveLength(1);
    a.acknowledge({ streamId: 1, received: 2, durable: 0 });
    sender.send([a, b], ticks, 6, outlet);
    expect(outlet.messages[1]?.map((f) => [f.streamId, f.sequence])).toEqual([
      [1, 6],
      [1, 7],
    ]);
    // A smaller credit does not take back what is on its way.
    a.acknowledge({ streamId: 1, received: 4, durable: 0 });
    sender.send([a, b], ticks, 3, outlet);
    expect(outlet.messages).toHaveLength(2);
  });

  it('sends nothing without credit', () => {
    const { sender, outlet, ticks } = setUp();
    const a = stream(1);
    a.push(0, 0);
    sender.send([a], ticks, 0, outlet);
    expect(outlet.messages).toEqual([]);
  });

  it('leaves frames where they are while the socket is full', () => {
    const { sender, outlet, ticks } = setUp();
    const a = stream(1);
    a.push(0, 0);
    outlet.bufferedBytes = 10_000_000;
    sender.send([a], ticks, 100, outlet);
    expect([outlet.messages.length, a.ring.unsent]).toEqual([0, 1]);
  });

  it('starts another message when one is full', () => {
    const { sender, outlet, ticks } = setUp();
    const packets = Array.from({ length: 100 }, () => new Uint8Array(1_200).fill(0x48));
    const a = new HostStream(1, testParticipant({ packets }), BOUNDS);
    for (let frame = 0; frame < 100; frame += 1) a.push(frame, frame * 20);
    sender.send([a], ticks, 1_000, outlet);
    expect(outlet.messages.map((m) => m.length)).toEqual([53, 47]);
  });
});
