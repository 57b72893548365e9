import { CODEC } from '@earshot/bridge-protocol';
import { describe, expect, it } from 'vitest';
import { opusEngine, payloadOf, pcmOf, range, SendStage } from './send-kit.js';

const SILENCE = new Int16Array(320);

describe('SendStreams', () => {
  it('opens a stream at its first frame, with room for its buffer', () => {
    const stage = new SendStage({ bufferFrames: 100 });
    stage.open('hello', 7, 'pcm16', 40);
    expect(stage.answers()).toEqual([
      { type: 'sendOpened', streamId: 7, nextSequence: 40, creditFrames: 100 },
    ]);
  });

  it('plays what was sent, sample by sample, from the place on the clock where it began', () => {
    const stage = new SendStage();
    stage.open('hello');
    stage.tick(5);
    stage.frames(1, ...range(0, 30));
    stage.say({ type: 'sendClose', streamId: 1, nextSequence: 30 });
    stage.tick(31);
    expect(stage.heardFrames()).toEqual(range(0, 30).map(pcmOf));
    expect(stage.heard.piece()?.startMs).toBe(100);
    expect(stage.answers()).toEqual([
      expect.objectContaining({ type: 'sendOpened' }),
      { type: 'sendClosed', streamId: 1, reason: 'played', played: 30 },
    ]);
    expect(stage.sends.states()).toMatchObject([
      { sendId: 'hello', framesPlayed: 30, underrunFrames: 0, ended: 'played' },
    ]);
  });

  it('plays Opus as our decoder decodes it', () => {
    const engine = opusEngine();
    const encoder = engine
      .createEncoderPool({
        sampleRateHz: 16_000,
        channels: 1,
        bitrateBps: 24_000,
        dtx: false,
        application: 'voip',
        capacity: 1,
      })
      .acquire();
    const decoder = engine
      .createDecoderPool({ sampleRateHz: 16_000, channels: 1, capacity: 1 })
      .acquire();
    const packets = range(0, 25).map((number) => {
      const out = new Uint8Array(1275);
      return out.slice(0, encoder.encode(pcmOf(number), out));
    });
    const stage = new SendStage();
    stage.open('opus', 1, 'opus');
    stage.packets(
      1,
      CODEC.opus,
      packets.map((packet, n) => [n, packet]),
    );
    stage.tick(25);
    const expected = packets.map((packet) => {
      const pcm = new Int16Array(320);
      expect(decoder.decode(packet, 0, packet.length, pcm)).toBe(320);
      return pcm;
    });
    expect(stage.heardFrames()).toEqual(expected);
  });

  it('waits for 200 ms of audio, for a mark or for the close, before it begins', () => {
    for (const begin of ['audio', 'mark', 'close', 'time'] as const) {
      const stage = new SendStage();
      stage.open('hello');
      stage.frames(1, ...range(0, 9));
      stage.tick(3);
      expect(stage.heardFrames()).toEqual([]);
      if (begin === 'audio') stage.frames(1, 9);
      if (begin === 'mark') stage.say({ type: 'mark', streamId: 1, name: 'm', sequence: 9 });
      if (begin === 'close') stage.say({ type: 'sendClose', streamId: 1, nextSequence: 9 });
      if (begin === 'time') stage.tick(7);
      stage.tick();
      expect(stage.heardFrames()).toEqual([pcmOf(0)]);
    }
  });

  it('is silent while nothing comes, counts it until the close, and goes on at once', () => {
    const stage = new SendStage();
    stage.open('hello');
    stage.tick(20);
    stage.frames(1, ...range(0, 10));
    stage.tick(14);
    stage.frames(1, 10);
    stage.tick(1);
    stage.say({ type: 'sendClose', streamId: 1, nextSequence: 11 });
    stage.tick(10);
    expect(stage.heardFrames()).toEqual([
      ...range(0, 10).map(pcmOf),
      ...range(0, 4).map(() => SILENCE),
      pcmOf(10),
    ]);
    expect(stage.sends.states()[0]?.underrunFrames).toBe(4);
  });

  it('plays a frame after a jump at once, and drops one that was passed', () => {
    const stage = new SendStage();
    stage.open('hello');
    stage.frames(1, ...range(0, 10), 15, 14, 15, 16);
    stage.say({ type: 'sendClose', streamId: 1, nextSequence: 17 });
    stage.tick(13);
    expect(stage.heardFrames()).toEqual([...range(0, 10), 15, 16].map(pcmOf));
    expect(stage.sends.states()[0]).toMatchObject({ droppedFrames: 2, received: 17, played: 17 });
  });

  it('mixes by sample and saturates', () => {
    const stage = new SendStage();
    const loud = new Int16Array(320).fill(30_000);
    const quiet = Int16Array.from({ length: 320 }, (_, n) => (n % 2 === 0 ? 10_000 : -10_000));
    const low = new Int16Array(320).fill(-30_000);
    stage.open('a', 1);
    stage.open('b', 2);
    stage.packets(1, CODEC.pcm16, [
      [0, payloadOf(loud)],
      [1, payloadOf(low)],
    ]);
    stage.packets(2, CODEC.pcm16, [
      [0, payloadOf(quiet)],
      [1, payloadOf(quiet)],
    ]);
    for (const streamId of [1, 2]) stage.say({ type: 'sendClose', streamId, nextSequence: 2 });
    stage.tick(3);
    const [first, second] = stage.heardFrames();
    expect(first).toEqual(loud.map((_, n) => (n % 2 === 0 ? 32_767 : 20_000)));
    expect(second).toEqual(loud.map((_, n) => (n % 2 === 0 ? -20_000 : -32_768)));
  });

  it('plays silence for silence, and for what does not decode or is of another codec', () => {
    const stage = new SendStage();
    stage.open('hello');
    stage.packets(1, CODEC.silence, [[0, null]]);
    stage.packets(1, CODEC.opus, [[1, Uint8Array.of(0x48, 1)]]);
    stage.frames(1, 2);
    stage.open('opus', 2, 'opus');
    stage.packets(2, CODEC.opus, [[0, Uint8Array.of(0xff, 0xff, 0xff)]]);
    stage.say({ type: 'sendClose', streamId: 1, nextSequence: 3 });
    stage.say({ type: 'sendClose', streamId: 2, nextSequence: 1 });
    stage.tick(4);
    expect(stage.heardFrames()).toEqual([SILENCE, SILENCE, pcmOf(2)]);
    expect(stage.sends.states()).toMatchObject([{ corruptFrames: 1 }, { corruptFrames: 1 }]);
  });

  it('drops and counts frames of streams that are not open', () => {
    const stage = new SendStage();
    stage.frames(9, 0, 1);
    stage.say({ type: 'mark', streamId: 9, name: 'm', sequence: 0 });
    stage.say({ type: 'clear', streamId: 9 });
    stage.say({ type: 'sendClose', streamId: 9, nextSequence: 0 });
    expect([stage.sends.strayFrames, stage.said, stage.faults]).toEqual([2, [], []]);
  });
});

describe('credit of a send stream', () => {
  it('is what the buffer can take, never goes back, and closes the link when it is exceeded', () => {
    const stage = new SendStage({ bufferFrames: 20 });
    stage.open('hello');
    stage.frames(1, ...range(0, 20));
    stage.clock.advance(500);
    expect(stage.said.at(-1)).toEqual({
      type: 'sendProgress',
      streams: [{ streamId: 1, received: 20, played: 0, creditFrames: 0, underrunFrames: 0 }],
    });
    expect(stage.faults).toEqual([]);
    stage.frames(1, 20);
    expect(stage.faults).toEqual(['credit_exceeded']);
  });

  it('holds for what was told, not for what became free since', () => {
    const stage = new SendStage({ bufferFrames: 20 });
    stage.open('hello');
    stage.frames(1, ...range(0, 20));
    stage.tick(2);
    stage.frames(1, 20);
    expect(stage.faults).toEqual(['credit_exceeded']);
  });

  it('is told at once when a quarter of the buffer is free, otherwise within 500 ms', () => {
    const stage = new SendStage({ bufferFrames: 20 });
    stage.open('hello');
    stage.frames(1, ...range(0, 20));
    stage.clock.advance(500);
    stage.said = [];
    for (let n = 0; n < 5; n += 1) stage.sends.tick(20 * n);
    expect(stage.said).toEqual([]);
    stage.sends.tick(100);
    // The frame that is being played keeps its place until it is over.
    const streams = [{ streamId: 1, received: 20, played: 5, creditFrames: 5, underrunFrames: 0 }];
    expect(stage.said).toEqual([{ type: 'sendProgress', streams }]);
    stage.sends.tick(120);
    stage.clock.advance(500);
    expect(stage.said.at(-1)).toMatchObject({ streams: [{ played: 6, creditFrames: 6 }] });
    stage.said = [];
    stage.clock.advance(5_000);
    expect(stage.said).toEqual([]);
  });
});

describe('marks of a send stream', () => {
  const mark = (name: string, sequence: number, streamId = 1) =>
    ({ type: 'mark', streamId, name, sequence }) as const;
  const marked = (name: string, outcome: 'played' | 'cleared', atMs: number) => ({
    type: 'marked',
    streamId: 1,
    name,
    outcome,
    clockTicks: String(atMs * 10_000),
  });

  it('come true when every frame before them is over, in order, at that time', () => {
    const stage = new SendStage();
    stage.open('hello');
    stage.say(mark('none', 0));
    stage.say(mark('b', 12));
    stage.say(mark('a', 10));
    stage.say(mark('later', 13));
    stage.frames(1, ...range(0, 12));
    stage.tick(10);
    expect(stage.answers().slice(1)).toEqual([marked('none', 'played', 0)]);
    stage.tick(1);
    expect(stage.answers()).toEqual([marked('a', 'played', 200)]);
    stage.tick(5);
    expect(stage.answers()).toEqual([marked('b', 'played', 240)]);
    stage.frames(1, 12);
    stage.tick(1);
    stage.tick(1);
    expect(stage.answers()).toEqual([marked('later', 'played', 340)]);
    stage.say(mark('over', 5));
    expect(stage.answers()).toEqual([marked('over', 'played', stage.nowMs)]);
  });

  it('are cleared with what waits; what comes after is new', () => {
    const stage = new SendStage();
    stage.open('hello');
    stage.frames(1, ...range(0, 20));
    stage.say(mark('end', 20));
    stage.tick(5);
    stage.said = [];
    stage.say({ type: 'clear', streamId: 1 });
    expect(stage.said).toEqual([
      marked('end', 'cleared', 100),
      { type: 'cleared', streamId: 1, firstSequence: 5, frames: 15 },
      {
        type: 'sendProgress',
        streams: [{ streamId: 1, received: 20, played: 20, creditFrames: 100, underrunFrames: 0 }],
      },
    ]);
    stage.say({ type: 'clear', streamId: 1 });
    expect(stage.answers().at(-1)).toMatchObject({ firstSequence: 20, frames: 0 });
    stage.frames(1, 20);
    stage.say({ type: 'sendClose', streamId: 1, nextSequence: 21 });
    stage.tick(2);
    expect(stage.heardFrames()).toEqual([...range(0, 5), 20].map(pcmOf));
    expect(stage.answers()).toEqual([
      { type: 'sendClosed', streamId: 1, reason: 'played', played: 21 },
    ]);
  });

  it.each([
    ['sendClose and clear', ['sendClose', 'clear'] as const],
    ['clear and sendClose', ['clear', 'sendClose'] as const],
  ])('end the stream as cleared after %s', (_name, order) => {
    const stage = new SendStage();
    stage.open('hello');
    stage.frames(1, ...range(0, 20));
    stage.tick(5);
    stage.answers();
    for (const type of order) {
      if (type === 'clear') stage.say({ type, streamId: 1 });
      else stage.say({ type, streamId: 1, nextSequence: 20 });
    }
    expect(stage.answers()).toEqual([
      { type: 'cleared', streamId: 1, firstSequence: 5, frames: 15 },
      { type: 'sendClosed', streamId: 1, reason: 'cleared', played: 5 },
    ]);
  });

  it('may be 64 at a time', () => {
    const stage = new SendStage();
    stage.open('hello');
    for (const n of range(0, 64)) stage.say(mark(`m${n}`, 10 + n));
    stage.say(mark('m63', 73));
    expect(stage.faults).toEqual([]);
    stage.say(mark('m64', 80));
    expect(stage.faults).toEqual(['too_many_marks']);
  });

  it('that can never come true are cleared when the stream ends', () => {
    const stage = new SendStage();
    stage.open('hello');
    stage.frames(1, 0);
    stage.say(mark('never', 9));
    stage.say({ type: 'sendClose', streamId: 1, nextSequence: 1 });
    stage.tick(2);
    expect(stage.answers().slice(1)).toMatchObject([
      { name: 'never', outcome: 'cleared' },
      { type: 'sendClosed', reason: 'played' },
    ]);
  });
});

describe('refusals of a send stream', () => {
  it('close the link for a number that is open, and only the stream for the rest', () => {
    const stage = new SendStage({ maxStreams: 2 });
    stage.open('a', 1);
    stage.open('b', 1);
    expect(stage.faults).toEqual(['stream_already_open']);
    stage.open('a', 3);
    stage.open('c', 2);
    stage.open('d', 4, 'pcm16', 9);
    expect(stage.answers()).toEqual([
      expect.objectContaining({ type: 'sendOpened', streamId: 1 }),
      { type: 'sendClosed', streamId: 3, reason: 'platform_error', played: 0 },
      expect.objectContaining({ type: 'sendOpened', streamId: 2 }),
      { type: 'sendClosed', streamId: 4, reason: 'too_many_streams', played: 9 },
    ]);
  });

  it('say that there is no meeting to hear it', () => {
    const stage = new SendStage();
    stage.isActive = false;
    stage.open('a');
    expect(stage.answers()).toMatchObject([{ type: 'sendClosed', reason: 'media_inactive' }]);
  });

  it('end what is open when the call is over, marks first', () => {
    const stage = new SendStage();
    stage.open('a');
    stage.frames(1, ...range(0, 20));
    stage.say({ type: 'mark', streamId: 1, name: 'm', sequence: 20 });
    stage.tick(5);
    stage.sends.endAll();
    stage.tick(5);
    expect(stage.heardFrames()).toHaveLength(5);
    expect(stage.answers().slice(1)).toMatchObject([
      { type: 'marked', outcome: 'cleared' },
      { type: 'sendClosed', reason: 'media_ended', played: 5 },
    ]);
    expect(stage.sends.states()).toMatchObject([{ ended: 'media_ended' }]);
  });
});

describe('a send stream over a break', () => {
  it('plays what it has, is silent after, and is continued under another number', () => {
    const stage = new SendStage();
    stage.open('hello', 1);
    stage.frames(1, ...range(0, 15));
    stage.say({ type: 'mark', streamId: 1, name: 'during', sequence: 12 });
    stage.say({ type: 'mark', streamId: 1, name: 'after', sequence: 20 });
    stage.tick(10);
    stage.sends.linkLost();
    stage.answers();
    stage.tick(8);
    expect(stage.said).toEqual([]);
    stage.link();
    stage.open('hello', 5);
    expect(stage.answers()).toEqual([
      { type: 'sendOpened', streamId: 5, nextSequence: 15, creditFrames: 100 },
    ]);
    stage.say({ type: 'mark', streamId: 5, name: 'during', sequence: 12 });
    stage.say({ type: 'mark', streamId: 5, name: 'after', sequence: 20 });
    expect(stage.answers()).toEqual([
      { type: 'marked', streamId: 5, name: 'during', outcome: 'played', clockTicks: '2400000' },
    ]);
    stage.frames(5, ...range(15, 20));
    stage.say({ type: 'sendClose', streamId: 5, nextSequence: 20 });
    stage.tick(6);
    expect(stage.answers()).toMatchObject([
      { type: 'marked', name: 'after', outcome: 'played' },
      { type: 'sendClosed', streamId: 5, reason: 'played', played: 20 },
    ]);
    expect(stage.heardFrames()).toEqual([
      ...range(0, 15).map(pcmOf),
      ...range(0, 3).map(() => SILENCE),
      ...range(15, 20).map(pcmOf),
    ]);
  });

  it('is told how far it was played meanwhile, also when nothing is left to come', () => {
    const stage = new SendStage();
    stage.open('hello', 1);
    stage.frames(1, ...range(0, 10));
    stage.sends.linkLost();
    stage.tick(20);
    stage.link();
    stage.open('hello', 1);
    stage.clock.advance(500);
    expect(stage.said.at(-1)).toMatchObject({
      type: 'sendProgress',
      streams: [{ received: 10, played: 10 }],
    });
  });

  it('is not played again when only its sendClosed was lost', () => {
    const stage = new SendStage();
    stage.open('hello', 1);
    stage.frames(1, ...range(0, 10));
    stage.say({ type: 'sendClose', streamId: 1, nextSequence: 10 });
    stage.tick(11);
    expect(stage.answers().at(-1)).toMatchObject({ type: 'sendClosed' });
    stage.sends.linkLost();
    stage.link();
    stage.open('hello', 1);
    stage.say({ type: 'sendClose', streamId: 1, nextSequence: 10 });
    expect(stage.answers()).toEqual([
      { type: 'sendOpened', streamId: 1, nextSequence: 10, creditFrames: 100 },
      { type: 'sendClosed', streamId: 1, reason: 'played', played: 10 },
    ]);
  });

  it('keeps what a clear said of a mark whose answer was lost', () => {
    const stage = new SendStage();
    stage.open('hello', 1);
    stage.frames(1, ...range(0, 10));
    stage.say({ type: 'mark', streamId: 1, name: 'm', sequence: 10 });
    stage.say({ type: 'clear', streamId: 1 });
    stage.sends.linkLost();
    stage.link();
    stage.open('hello', 1);
    stage.answers();
    stage.say({ type: 'mark', streamId: 1, name: 'm', sequence: 10 });
    expect(stage.answers()).toMatchObject([{ name: 'm', outcome: 'cleared' }]);
  });

  it('is a new stream with the same id on the same link, once it is closed', () => {
    const stage = new SendStage();
    for (let n = 0; n < 2; n += 1) {
      stage.open('again', 1);
      stage.frames(1, ...range(0, 10));
      stage.say({ type: 'sendClose', streamId: 1, nextSequence: 10 });
      stage.tick(11);
    }
    expect(stage.heardFrames().filter((pcm) => pcm.some((s) => s !== 0))).toHaveLength(20);
  });

  it('is forgotten after 30 s', () => {
    const stage = new SendStage();
    stage.open('hello', 1);
    stage.frames(1, 0, 1);
    stage.sends.linkLost();
    stage.clock.advance(29_999);
    stage.link();
    stage.open('hello', 1);
    expect(stage.answers().at(-1)).toMatchObject({ nextSequence: 2 });
    stage.sends.linkLost();
    stage.clock.advance(30_000);
    stage.link();
    stage.open('hello', 1);
    expect(stage.answers().at(-1)).toMatchObject({ nextSequence: 0 });
  });

  it('is bounded in number: the oldest kept makes room', () => {
    const stage = new SendStage({ maxStreams: 1 });
    for (const sendId of ['a', 'b', 'c']) {
      stage.open(sendId, 1);
      stage.frames(1, 0);
      stage.sends.linkLost();
      stage.link();
    }
    stage.answers();
    stage.open('a', 1);
    expect(stage.answers()).toMatchObject([{ type: 'sendOpened', nextSequence: 0 }]);
    stage.sends.linkLost();
    stage.link();
    stage.open('c', 1);
    expect(stage.answers()).toMatchObject([{ type: 'sendOpened', nextSequence: 1 }]);
  });
});
