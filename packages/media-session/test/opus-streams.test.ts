import { CODEC, FLAG } from '@earshot/bridge-protocol';
import { describe, expect, it } from 'vitest';
import type { StreamRunner as Runner } from '../src/index.js';
import { CLOSE_MODE, FrameRing, StreamRunner } from '../src/index.js';
import type { TestFrame } from './signals.js';
import { Listener } from './signals.js';
import {
  DAMAGED_PACKET,
  DIGIT_5,
  DTX_PACKET,
  END_OF_DIGIT_5,
  packet,
  StubDecoders,
} from './stub-decoders.js';

/** Loud packets in step, `count` of them from `sequence` on. */
function packets(count: number, sequence = 0): TestFrame[] {
  return Array.from({ length: count }, (_, n) => opus(sequence + n, packet(100)));
}

function opus(sequence: number, payload: Uint8Array, flags = 0): TestFrame {
  return { sequence, mediaTimeMs: sequence * 20, codec: CODEC.opus, flags, payload };
}

/** A digit in these packets; one packet is lost, and those after a frame of the digit carry its copy. */
function digitIn(from: number, to: number, lost: number, hasCopies: boolean): Listener {
  const loudness = (n: number): number => (n >= from && n < to ? DIGIT_5 : 0);
  const sent = Array.from({ length: 30 }, (_, n) => {
    const copies = hasCopies && n > from ? [loudness(n - 1)] : [];
    return opus(n, packet(loudness(n), ...copies));
  });
  return listen(...sent.filter((_, n) => n !== lost));
}

function quiet(count: number): TestFrame[] {
  return Array.from({ length: count }, (_, n) => opus(n, packet(0)));
}

/** Loudness that goes up and down, as that of no steady sound does. */
function syllable(n: number): number {
  return n % 4 < 2 ? 40 : 200;
}

function listen(...frames: readonly TestFrame[]): Listener {
  return new Listener({ codec: CODEC.opus }).hear(...frames);
}

function asked(listener: Listener): string {
  return listener.decoders.made.map((decoder) => decoder.asked).join();
}

describe('loss of Opus packets', () => {
  it('is concealed by the decoder, in its place between the packets', () => {
    const listener = listen(...packets(2), ...packets(2, 4));
    expect(asked(listener)).toBe('ddccdd');
    expect(listener.of('gap')).toMatchObject([{ missingFrames: 2, concealedFrames: 2 }]);
  });

  it('is concealed as far as is honest, and anew after what was heard since', () => {
    const listener = listen(...packets(1), ...packets(1, 9), ...packets(1, 12));
    expect(asked(listener)).toBe('dcccccdccd');
    expect(listener.of('gap').map(({ concealedFrames }) => concealedFrames)).toEqual([5, 2]);
  });

  it('is concealed from the last ten packets alone, whatever was lost before', () => {
    const tenAnew = `n${'d'.repeat(10)}`;
    const often = listen(...packets(12), ...packets(2, 13), ...packets(9, 16), ...packets(1, 26));
    const d = (count: number): string => 'd'.repeat(count);
    // Not within ten packets of the last time: what a peer damages costs no more than twice.
    expect(asked(often)).toBe(`${d(12)}${tenAnew}c${d(2)}c${d(9)}${tenAnew}cd`);
    const seldom = listen(...packets(9), ...packets(1, 10));
    expect(asked(seldom)).toBe(`${d(9)}cd`);
  });

  it('of many packets lets the decoder begin anew', () => {
    expect(asked(listen(...packets(2), ...packets(2, 17)))).toBe('ddcccccndd');
    expect(asked(listen(...packets(2), opus(20, packet(100, 90))))).toBe('ddcccccnrd');
  });

  it('is not concealed where nothing was heard: at the start, after silence or a jump in time', () => {
    expect(asked(listen(...packets(1, 3)))).toBe('d');
    const silence = { sequence: 1, mediaTimeMs: 20, codec: CODEC.silence };
    expect(asked(listen(...packets(1), silence, ...packets(1, 4)))).toBe('dd');
    const jumped = { ...opus(1, DAMAGED_PACKET), mediaTimeMs: 9000 };
    expect(asked(listen(...packets(1), jumped))).toBe('dd');
  });

  it('of one packet is mended by the copy that the next one carries', () => {
    const listener = listen(...packets(2), opus(3, packet(100, 90)), ...packets(1, 4));
    expect(asked(listener)).toBe('ddrdd');
    expect(listener.of('gap')).toMatchObject([{ missingFrames: 1, concealedFrames: 1 }]);
    expect(listener.counters.totals()).toMatchObject({
      framesDecoded: 4,
      framesMissing: 1,
      framesConcealed: 1,
      framesRecovered: 1,
    });
  });

  it('of several is concealed but for the last, beyond the bound too', () => {
    const short = listen(...packets(2), opus(5, packet(100, 90)));
    expect(asked(short)).toBe('ddccrd');
    expect(short.of('gap')).toMatchObject([{ missingFrames: 3, concealedFrames: 3 }]);
    const long = listen(...packets(2), opus(20, packet(100, 90)));
    expect(asked(long)).toBe('ddcccccnrd');
    expect(long.of('gap')).toMatchObject([{ missingFrames: 18, concealedFrames: 6 }]);
    expect(long.counters.get('recovered')).toBe(1);
  });

  it('counts the mended frame to the cause that is told last', () => {
    const listener = listen(...packets(2));
    listener.pipeline.discarded(2, 2, 0);
    listener.hear({ ...opus(8, packet(100, 90)), droppedBefore: 1 });
    expect(
      listener.of('gap').map((gap) => [gap.cause, gap.missingFrames, gap.concealedFrames]),
    ).toEqual([
      ['discarded', 2, 2],
      ['lost', 3, 3],
      ['overflow', 1, 1],
    ]);
  });

  it('is mended before the first packet as well', () => {
    const listener = listen(opus(1, packet(100, 90)));
    expect(asked(listener)).toBe('rd');
    expect(listener.of('gap')).toMatchObject([{ missingFrames: 1, concealedFrames: 1 }]);
  });

  it('is not mended from a packet that the source calls silent', () => {
    const listener = listen(...packets(2), opus(3, packet(100, 90), FLAG.silence));
    expect(asked(listener)).toBe('ddc');
  });

  it('is heard as speech where it was mended', () => {
    const lossy = Array.from({ length: 10 }, (_, n) => 2 * n + 1).map((n) =>
      opus(20 + n, packet(syllable(n), syllable(n - 1))),
    );
    const listener = listen(...quiet(20), ...lossy);
    expect(listener.of('speechStarted')).toHaveLength(1);
    expect(listener.counters.get('recovered')).toBe(10);
    expect(asked(listener)).toBe('d'.repeat(20) + 'rd'.repeat(10));
  });

  it('lets a digit be heard in the copy, as if nothing were lost', () => {
    const mended = digitIn(10, 13, 11, true).of('tone');
    expect(mended).toEqual(digitIn(10, 13, 99, true).of('tone'));
    expect(mended).toMatchObject([{ digit: '5', acrossGap: false }]);
    expect(digitIn(10, 13, 11, false).of('tone')).toMatchObject([{ digit: '5', acrossGap: true }]);
  });

  it('lets a digit begin and end in the copy', () => {
    const begins = digitIn(10, 12, 10, true).of('tone');
    expect(begins).toEqual(digitIn(10, 12, 99, true).of('tone'));
    expect(begins).toHaveLength(1);
    const ends = digitIn(10, 12, 11, true).of('tone');
    expect(ends).toEqual(digitIn(10, 12, 99, true).of('tone'));
  });

  it('never lets a digit be heard in what was made up, nor in a copy alone', () => {
    const made = listen(...quiet(10), opus(10, packet(END_OF_DIGIT_5)), ...packets(10, 15));
    expect(made.of('gap')).toMatchObject([{ concealedFrames: 4 }]);
    expect(made.of('tone')).toEqual([]);
    expect(digitIn(10, 11, 10, true).of('tone')).toEqual([]);
  });

  it('to damage costs one frame, concealed where it was', () => {
    const listener = listen(...packets(2), opus(2, DAMAGED_PACKET), ...packets(2, 3));
    expect(asked(listener)).toBe('dddcdd');
    expect(listener.of('gap')).toMatchObject([{ cause: 'corrupt', concealedFrames: 1 }]);
  });
});

describe('packets without sound', () => {
  it.each([
    ['the decoder stays as it was', 14, ''],
    ['begins anew when they were many', 15, 'n'],
  ])('of DTX pass as silence, and %s', (_, count, anew) => {
    const pause = Array.from({ length: count }, (_, n) => opus(20 + n, DTX_PACKET));
    const listener = listen(...packets(20), ...pause, ...packets(20, 20 + count));
    expect(asked(listener)).toBe('d'.repeat(20) + anew + 'd'.repeat(20));
    expect(listener.counters.totals()).toMatchObject({ framesDecoded: 40, framesSilent: count });
    expect(listener.of('gap')).toEqual([]);
  });

  it.each([
    ['SILK, 20 ms', 9, true],
    ['hybrid, 20 ms', 13, true],
    ['CELT, 20 ms', 31, true],
    ['SILK, 10 ms', 8, false],
    ['SILK, 60 ms', 11, false],
    ['hybrid, 10 ms', 12, false],
    ['CELT, 10 ms', 30, false],
  ])('are told by their frame: %s', (_, configuration, isDtx) => {
    for (const length of [1, 2]) {
      const listener = listen(opus(0, new Uint8Array(length).fill(configuration << 3)));
      expect(listener.counters.get('silent')).toBe(isDtx ? 1 : 0);
    }
    const twoFrames = listen(opus(0, Uint8Array.of((configuration << 3) | 1)));
    expect(twoFrames.counters.get('silent')).toBe(0);
  });

  it('need no decoder', () => {
    expect(listen(opus(0, DTX_PACKET), opus(1, packet(9), FLAG.silence)).decoders.made).toEqual([]);
  });
});

describe('a stream that nobody listens to', () => {
  it('keeps order, gaps and counts, and decodes nothing', () => {
    const listener = new Listener({ codec: CODEC.opus, listening: 'none' });
    listener.hear(...packets(10), opus(10, DTX_PACKET), opus(14, packet(100, 90)));
    listener.hear(opus(3, packet(100)), { ...opus(15, packet(100)), codec: 99 });
    listener.close(CLOSE_MODE.end, 18);
    expect(listener.decoders.made).toEqual([]);
    expect(listener.of('gap').map((gap) => [gap.cause, gap.missingFrames, gap.concealedFrames]))
      // The corrupt one is reported when its run ends.
      .toEqual([
        ['lost', 3, 0],
        ['corrupt', 1, 0],
        ['lost', 2, 0],
      ]);
    expect(listener.counters.totals()).toMatchObject({
      framesReceived: 13,
      framesUnheard: 11,
      framesSilent: 1,
      framesCorrupt: 1,
      framesDecoded: 0,
      framesConcealed: 0,
      framesDuplicate: 1,
    });
  });

  it('settles as it goes, since nothing is open', () => {
    const listener = new Listener({ codec: CODEC.opus, listening: 'none' }).hear(...packets(50));
    expect(listener.counters.get('settled')).toBe(50);
  });
});

describe('a stream that fails', () => {
  function stream(): { listener: Listener; writer: FrameRing; runner: Runner } {
    const shared = FrameRing.allocate(16);
    const listener = new Listener({ codec: CODEC.opus, decoders: new StubDecoders() });
    const runner = new StreamRunner({ ring: new FrameRing(shared), pipeline: listener.pipeline });
    return { listener, writer: new FrameRing(shared), runner };
  }

  it('goes back to what it published, and counts the rest as dropped', () => {
    const { listener, writer, runner } = stream();
    for (const { sequence, mediaTimeMs, payload = DTX_PACKET } of packets(10)) {
      writer.push(sequence, mediaTimeMs, CODEC.opus, 0, payload, 0, payload.length);
    }
    listener.drain(runner, 4);
    const decoder = listener.decoders.made[0]!;
    decoder.decode = () => {
      throw new Error('a bug');
    };
    expect(() => listener.drain(runner)).toThrow('a bug');
    runner.fail();
    runner.publish();
    expect(runner.finished).toBe(true);
    expect(decoder.isReleased).toBe(true);
    expect(listener.findings.at(-1)?.kind).toBe('closed');
    expect(listener.counters.totals()).toMatchObject({ framesReceived: 4, framesDropped: 6 });
    expect(listener.counters.get('expected')).toBe(10);
  });

  it('ends the speech that was open', () => {
    const { listener, writer, runner } = stream();
    const talk = Array.from({ length: 10 }, (_, n) => opus(20 + n, packet(syllable(n))));
    const sound = [...quiet(20), ...talk];
    for (const { sequence, mediaTimeMs, payload = DTX_PACKET } of sound) {
      writer.push(sequence, mediaTimeMs, CODEC.opus, 0, payload, 0, payload.length);
      listener.drain(runner);
    }
    expect(listener.counters.get('speaking')).toBe(1);
    runner.fail();
    runner.publish();
    expect(listener.of('speechEnded')).toMatchObject([{ endMs: 600 }]);
    expect(listener.counters.get('speaking')).toBe(0);
  });
});

it('shows nothing of a frame that is not published: its thread may die', () => {
  const listener = listen(...packets(3));
  const before = listener.counters.totals();
  const { pipeline, pcm } = listener;
  const unpublished = new Listener({ codec: CODEC.opus, shared: listener.shared });
  expect(unpublished.counters.totals()).toEqual(before);
  pipeline.discarded(3, 2, 0);
  pipeline.decoded(320, pcm);
  expect(listener.counters.totals()).toEqual(before);
  const successor = new Listener({ codec: CODEC.opus, shared: listener.shared });
  successor.hear(...packets(2, 4));
  expect(successor.of('gap')).toMatchObject([{ cause: 'lost', missingFrames: 1 }]);
  expect(successor.counters.totals()).toMatchObject({ framesReceived: 5, framesMissing: 1 });
});
