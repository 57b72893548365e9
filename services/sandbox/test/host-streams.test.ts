import type { Arbitrary } from 'fast-check';
import {
  array,
  assert,
  boolean,
  constant,
  integer,
  nat,
  oneof,
  property,
  record,
} from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { StreamAccount } from '../src/host/host-stream.js';
import { HostStreams } from '../src/host/host-streams.js';
import { MediaTicks } from '../src/host/media-ticks.js';
import { testPackets, testParticipant } from './fixtures.js';
import { ModelWorker, WireOutlet } from './model-worker.js';

const TICKS = new MediaTicks(8_870_000, 0);

class Stage {
  readonly participant = testParticipant({ packets: testPackets(4_000) });
  readonly wire = new WireOutlet();
  readonly mismatches: StreamAccount[] = [];
  readonly streams: HostStreams;
  readonly creditFrames: number;
  readonly heedsDiscarded: boolean;
  worker: ModelWorker;
  epoch = 1;
  frame = 0;

  constructor(
    creditFrames: number,
    bounds: { readonly frames: number; readonly bytes: number },
    heedsDiscarded = true,
  ) {
    this.creditFrames = creditFrames;
    this.heedsDiscarded = heedsDiscarded;
    this.worker = new ModelWorker(heedsDiscarded);
    this.streams = new HostStreams({
      bounds,
      sent: { frames: 0, replayed: 0, messages: 0 },
      onMismatch: (account) => this.mismatches.push(account),
    });
    this.streams.restart([], this.epoch, creditFrames);
    this.streams.join(this.participant);
  }

  push(frames: number): void {
    for (let n = 0; n < frames; n += 1) {
      this.streams.frame(this.participant, this.frame, this.frame * 20);
      this.frame += 1;
    }
  }

  skip(frames: number): void {
    for (let n = 0; n < frames; n += 1) this.streams.missing(this.participant);
    this.frame += frames;
  }

  send(): void {
    this.streams.flush(this.wire, TICKS);
  }

  /** Hands on the next things on the wire. */
  deliver(count: number): void {
    for (const item of this.wire.take(count)) this.worker.hear(item);
  }

  progress(): void {
    this.streams.progress(this.worker.progress(this.creditFrames));
  }

  /** The link is cut: what is on the wire is gone. */
  reconnect(): void {
    this.wire.take(Number.POSITIVE_INFINITY);
    this.worker.linkClosed();
    this.streams.restart(this.worker.resume(), this.epoch, this.creditFrames);
  }

  /** Another worker goes on from what is durable. */
  move(): void {
    this.wire.take(Number.POSITIVE_INFINITY);
    this.epoch += 1;
    this.worker = new ModelWorker(this.heedsDiscarded, this.worker.stored());
    this.streams.restart(this.worker.resume(), this.epoch, this.creditFrames);
  }

  /** Everything left is sent and received. */
  finish(): void {
    this.streams.closeAll();
    for (let n = 0; n < 100 && this.streams.accounts().some((a) => !a.isComplete); n += 1) {
      this.send();
      this.deliver(Number.POSITIVE_INFINITY);
      this.progress();
    }
  }
}

describe('HostStreams', () => {
  it('gives each stream its own credit, so that a slow one holds up no other', () => {
    const stage = new Stage(4, { frames: 100, bytes: 100_000 });
    const other = testParticipant({ key: 'bob', packets: testPackets(100) });
    stage.streams.join(other);
    stage.push(10);
    for (let n = 0; n < 10; n += 1) stage.streams.frame(other, n, n * 20);
    stage.send();
    expect(stage.wire.framesOf(1)).toEqual([0, 1, 2, 3]);
    expect(stage.wire.framesOf(2)).toEqual([0, 1, 2, 3]);
    stage.streams.progress({
      type: 'progress',
      streams: [
        { streamId: 1, received: 0, durable: 0 },
        { streamId: 2, received: 4, durable: 0 },
      ],
      creditFrames: 4,
    });
    stage.send();
    expect(stage.wire.framesOf(1)).toEqual([0, 1, 2, 3]);
    expect(stage.wire.framesOf(2)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  });

  it('says in virtual time whether every stream has credit and a place in the ring', () => {
    const stage = new Stage(4, { frames: 100, bytes: 100_000 });
    stage.push(3);
    expect(stage.streams.haveRoom).toBe(true);
    stage.push(1);
    expect(stage.streams.haveRoom).toBe(false);
    stage.send();
    expect(stage.streams.haveRoom).toBe(false);
    stage.deliver(Number.POSITIVE_INFINITY);
    stage.progress();
    expect(stage.streams.haveRoom).toBe(true);
  });

  it('opens a closed stream again that is not durable, and none that is', () => {
    const stage = new Stage(100, { frames: 100, bytes: 100_000 });
    stage.push(5);
    stage.streams.closeAll();
    stage.send();
    stage.reconnect();
    stage.send();
    expect(stage.wire.opened(1)).toEqual([0]);
    stage.deliver(Number.POSITIVE_INFINITY);
    // It broke before any progress told so: resume lists the end.
    stage.reconnect();
    stage.send();
    expect(stage.wire.opened(1)).toEqual([]);
    expect(stage.streams.accounts()).toMatchObject([{ streamId: 1, lost: 0 }]);
    expect(stage.streams.areCloseSent).toBe(true);
  });

  it('takes a stream that is no longer told of for durable only where it was told of', () => {
    const stage = new Stage(100, { frames: 100, bytes: 100_000 });
    stage.push(5);
    stage.streams.closeAll();
    stage.send();
    // Written before the worker had read of the stream.
    stage.streams.progress({ type: 'progress', streams: [], creditFrames: 100 });
    stage.reconnect();
    stage.send();
    expect(stage.wire.framesOf(1)).toEqual([0, 1, 2, 3, 4]);
    stage.deliver(Number.POSITIVE_INFINITY);
    stage.progress();
    stage.streams.progress({ type: 'progress', streams: [], creditFrames: 100 });
    expect(stage.streams.accounts()).toMatchObject([{ isComplete: true, lost: 0 }]);
  });

  it('starts a stream that is not listed at the last durable told, and tells what is gone', () => {
    const stage = new Stage(100, { frames: 4, bytes: 100_000 });
    stage.push(3);
    stage.send();
    stage.streams.progress({
      type: 'progress',
      streams: [{ streamId: 1, received: 3, durable: 2 }],
      creditFrames: 100,
    });
    stage.push(3);
    stage.send();
    stage.push(5);
    stage.wire.take(Number.POSITIVE_INFINITY);
    stage.streams.restart([], 2, 100);
    stage.send();
    expect(stage.wire.texts).toEqual([
      expect.objectContaining({ type: 'streamOpen', firstSequence: 2 }),
      { type: 'discarded', streamId: 1, firstSequence: 2, frames: 4, reason: 'window' },
      { type: 'discarded', streamId: 1, firstSequence: 6, frames: 1, reason: 'overflow' },
    ]);
    expect(stage.wire.framesOf(1)).toEqual([7, 8, 9, 10]);
  });

  it('reports a worker that counts otherwise, once', () => {
    const stage = new Stage(100, { frames: 100, bytes: 100_000 });
    stage.push(3);
    stage.skip(2);
    stage.push(1);
    stage.streams.closeAll();
    stage.send();
    const position = { streamId: 1, received: 6, durable: 6, lost: 1, dropped: 0 };
    stage.streams.progress({ type: 'progress', streams: [position], creditFrames: 100 });
    stage.streams.progress({ type: 'progress', streams: [], creditFrames: 100 });
    expect(stage.mismatches).toEqual([
      { streamId: 1, epoch: 1, isComplete: true, lost: 2, workerLost: 1, workerDropped: 0 },
    ]);
  });

  it('counts what the worker counts, whatever happens in whatever order', () => {
    assert(
      property(
        integer({ min: 1, max: 12 }),
        integer({ min: 1, max: 12 }),
        boolean(),
        array(step(), { maxLength: 100 }),
        (creditFrames, frames, heedsDiscarded, steps) => {
          const stage = new Stage(creditFrames, { frames, bytes: frames * 5 }, heedsDiscarded);
          for (const { kind, count } of steps) {
            if (kind === 'push') stage.push(count);
            else if (kind === 'skip') stage.skip(count);
            else if (kind === 'send') stage.send();
            else if (kind === 'deliver') stage.deliver(count);
            else if (kind === 'settle') stage.worker.settle(count / 10);
            else if (kind === 'progress') stage.progress();
            else if (kind === 'reconnect') stage.reconnect();
            else stage.move();
            expect(stage.wire.framesOf(1).length).toBeLessThanOrEqual(creditFrames);
            if (kind === 'progress') expectAgreement(stage);
          }
          stage.finish();
          expectAgreement(stage);
          const [account] = stage.streams.accounts().slice(-1);
          expect(account).toMatchObject({ isComplete: true, epoch: stage.epoch });
          expect(stage.mismatches).toEqual([]);
        },
      ),
      { numRuns: 300 },
    );
  });
});

function expectAgreement({ streams, epoch }: Stage): void {
  for (const account of streams.accounts()) {
    if (account.epoch !== epoch || account.workerLost === undefined) continue;
    expect(account.lost).toBe(account.workerLost);
  }
}

interface Step {
  readonly kind:
    | 'push'
    | 'skip'
    | 'send'
    | 'deliver'
    | 'settle'
    | 'progress'
    | 'reconnect'
    | 'move';
  readonly count: number;
}

function step(): Arbitrary<Step> {
  const of = (kind: Step['kind'], count: number): Arbitrary<Step> =>
    record({ kind: constant(kind), count: nat(count) });
  return oneof(
    { weight: 4, arbitrary: of('push', 6) },
    { weight: 1, arbitrary: of('skip', 3) },
    { weight: 4, arbitrary: of('send', 0) },
    { weight: 4, arbitrary: of('deliver', 8) },
    { weight: 2, arbitrary: of('settle', 10) },
    { weight: 3, arbitrary: of('progress', 0) },
    { weight: 1, arbitrary: of('reconnect', 0) },
    { weight: 1, arbitrary: of('move', 0) },
  );
}
