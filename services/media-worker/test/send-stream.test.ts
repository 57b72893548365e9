import type { HostSendMessage } from '@earshot/bridge-protocol';
import { FrameBatchWriter, KIND } from '@earshot/bridge-protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SendOutcome } from '../src/play/send-stream.js';
import { SendStream } from '../src/play/send-stream.js';
import { ModelHost } from './model-host.js';

const writer = new FrameBatchWriter(undefined, KIND.send);

/** A worker with one play: what it is told of the stream, and what another worker would be told. */
class Player {
  readonly host: ModelHost;
  readonly packets: Uint8Array[];
  began = 0;
  results: SendOutcome[] = [];
  isReceived = false;
  isClearing = false;
  isBlocked = false;
  stream: SendStream;

  constructor(frames: number, bufferFrames: number) {
    this.host = new ModelHost(bufferFrames);
    this.packets = Array.from({ length: frames }, (_, n) => Uint8Array.of(n % 256, 1, 2));
    this.stream = this.#newStream();
  }

  /** Another worker takes the call. */
  handOver(): void {
    this.cut();
    if (this.results.length === 0) this.stream = this.#newStream();
  }

  connect(): void {
    this.stream.detach();
    this.stream.open(this.host.link());
  }

  cut(): void {
    this.host.cut();
    this.stream.detach();
  }

  clear(): void {
    this.isClearing = true;
    this.stream.clear();
  }

  hear(count: number): void {
    for (const message of this.host.said(count)) this.#message(message);
  }

  /** Everything there is to do, until the stream is over. */
  finish(): void {
    for (let round = 0; round < 500 && this.results.length === 0; round += 1) {
      if (!this.host.isLinked) this.connect();
      this.host.read(100);
      this.host.play(10);
      this.hear(100);
      if (this.isBlocked) {
        this.isBlocked = false;
        this.stream.pump();
      }
    }
  }

  #message(message: HostSendMessage): void {
    switch (message.type) {
      case 'sendOpened':
        this.stream.opened(message);
        return;
      case 'sendProgress':
        for (const progress of message.streams) this.stream.progress(progress);
        return;
      case 'marked':
        this.stream.marked(message);
        return;
      case 'sendClosed':
        this.stream.closed(message);
        return;
      case 'cleared':
        return;
    }
  }

  #newStream(): SendStream {
    const stream: SendStream = new SendStream({
      streamId: 3,
      sendId: 'p_1',
      sampleRateHz: 16_000,
      packets: this.packets,
      writer,
      isReceived: this.isReceived,
      onBegan: () => {
        this.began += 1;
      },
      onReceived: () => {
        this.isReceived = true;
      },
      onBlocked: () => {
        this.isBlocked = true;
      },
      onOver: (result) => this.results.push(result),
    });
    if (this.isClearing) stream.clear();
    return stream;
  }
}

const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('read' as const),
      count: fc.integer({ min: 1, max: 6 }),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('hear' as const),
      count: fc.integer({ min: 1, max: 6 }),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('play' as const),
      count: fc.integer({ min: 1, max: 40 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constantFrom('connect' as const, 'block' as const, 'unblock' as const),
      count: fc.constant(0),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constantFrom('cut' as const, 'handOver' as const),
      count: fc.constant(0),
    }),
  },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

function run(player: Player, steps: readonly Step[], clearAt?: number): void {
  for (const [index, { do: what, count }] of steps.entries()) {
    if (index === clearAt) player.clear();
    if (what === 'read') player.host.read(count);
    else if (what === 'hear') player.hear(count);
    else if (what === 'play') player.host.play(count);
    else if (what === 'connect') {
      if (!player.host.isLinked) player.connect();
    } else if (what === 'block') player.host.isBlocked = true;
    else if (what === 'unblock') {
      player.host.isBlocked = false;
      player.stream.pump();
    } else player[what]();
  }
  player.host.isBlocked = false;
  player.stream.pump();
  player.finish();
}

const sizes = {
  frames: fc.integer({ min: 1, max: 200 }),
  bufferFrames: fc.integer({ min: 1, max: 120 }),
};

describe('a send stream', () => {
  it('is heard once and whole, over any number of links and workers', () => {
    fc.assert(
      fc.property(fc.record(sizes), fc.array(step, { maxLength: 80 }), (size, steps) => {
        const player = new Player(size.frames, size.bufferFrames);
        run(player, steps);
        expect(player.host.faults).toEqual([]);
        expect(player.results).toEqual([{ outcome: 'played', playedFrames: size.frames }]);
        const once = player.packets.map(([first]) => first);
        const { heard, hasClosedInVain } = player.host;
        // The end of a play that nobody was told of may be taken for no play at all: then, twice.
        if (hasClosedInVain && heard.length > once.length) {
          expect(heard).toEqual([...once, ...once]);
        } else expect(heard).toEqual(once);
      }),
      { numRuns: 1000 },
    );
  });

  it('ends at once when cleared, whenever that is', () => {
    fc.assert(
      fc.property(
        fc.record(sizes),
        fc.array(step, { minLength: 1, maxLength: 80 }),
        fc.nat(79),
        (size, steps, at) => {
          const player = new Player(size.frames, size.bufferFrames);
          run(player, steps, at % steps.length);
          const { host, results } = player;
          expect(host.faults).toEqual([]);
          expect(results).toHaveLength(1);
          expect(['cleared', 'played']).toContain(results[0]?.outcome);
          if (host.hasClosedInVain) return;
          const once = player.packets.map(([first]) => first);
          expect(host.heard).toEqual(once.slice(0, host.heard.length));
        },
      ),
      { numRuns: 1000 },
    );
  });

  it('sends nothing without credit, and goes on when there is some', () => {
    const player = new Player(100, 50);
    player.host.credit = 0;
    player.connect();
    player.host.read(10);
    player.hear(10);
    player.host.read(10);
    player.host.play(100);
    expect(player.host.heard).toEqual([]);
    player.host.credit = Number.POSITIVE_INFINITY;
    player.host.play(1);
    player.finish();
    expect(player.results).toEqual([{ outcome: 'played', playedFrames: 100 }]);
    expect(player.began).toBe(1);
  });

  it('leaves the thread to others after twenty seconds of audio, and goes on later', () => {
    const player = new Player(2500, 65_535);
    player.connect();
    player.host.read(1);
    player.hear(1);
    player.host.read(1000);
    expect(player.host.received).toBe(1000);
    expect(player.isBlocked).toBe(true);
    player.finish();
    expect(player.results).toEqual([{ outcome: 'played', playedFrames: 2500 }]);
  });

  it('of which a host has all is played, also when the host forgot it meanwhile', () => {
    const player = new Player(30, 100);
    player.connect();
    for (let n = 0; n < 3; n += 1) {
      player.host.read(100);
      player.hear(100);
    }
    expect(player.isReceived).toBe(true);
    player.handOver();
    player.host.play(30);
    player.host.forget();
    player.finish();
    expect(player.results).toEqual([{ outcome: 'played', playedFrames: 30 }]);
    expect(player.host.heard).toHaveLength(30);
  });

  it('of which a host has a part is played from the start when the host forgot it', () => {
    const player = new Player(300, 50);
    player.connect();
    player.host.read(100);
    player.hear(100);
    player.host.read(100);
    player.host.play(20);
    player.hear(100);
    player.handOver();
    player.host.forget();
    player.finish();
    expect(player.results).toEqual([{ outcome: 'played', playedFrames: 300 }]);
    expect(player.host.heard).toHaveLength(320);
  });

  it.each([
    ['too_many_streams', 'too_many_streams'],
    ['media_ended', 'media_ended'],
    ['something_new', 'platform_error'],
    ['played', 'platform_error'],
    ['cleared', 'platform_error'],
  ])('that the host ends by %s has failed by %s', (said, reason) => {
    const player = new Player(100, 50);
    player.connect();
    player.stream.closed({ type: 'sendClosed', streamId: 3, reason: said, played: 7 });
    expect(player.results).toEqual([{ outcome: 'failed', reason, playedFrames: 7 }]);
    player.stream.fail('again');
    player.stream.openTimedOut();
    player.stream.pump();
    expect(player.results).toHaveLength(1);
  });

  it('that is not opened in time has failed; one that is open has not', () => {
    const slow = new Player(10, 50);
    slow.connect();
    slow.stream.openTimedOut();
    expect(slow.results).toEqual([
      { outcome: 'failed', reason: 'send_open_timeout', playedFrames: 0 },
    ]);
    const open = new Player(10, 50);
    open.connect();
    open.host.read(1);
    open.hear(1);
    open.stream.openTimedOut();
    expect(open.results).toEqual([]);
  });

  it('marks frames that an earlier link carried', () => {
    const player = new Player(10, 4);
    player.connect();
    player.host.read(1);
    player.hear(1);
    const flags: number[] = [];
    player.cut();
    const link = player.host.link();
    player.stream.open({
      send: (message) => link.send(message),
      sendFrames: (bytes) => {
        flags.push(bytes[4 + 3] ?? 0);
        return link.sendFrames(bytes);
      },
    });
    player.finish();
    expect(flags.map((flag) => flag & 2)).toEqual([2, ...flags.slice(1).map(() => 0)]);
  });
});
