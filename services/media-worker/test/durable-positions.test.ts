import { VirtualClock } from '@earshot/async';
import type { StreamPosition } from '@earshot/registry';
import { describe, expect, it } from 'vitest';
import type { StreamMark } from '../src/call-stream.js';
import { DurablePositions } from '../src/durable-positions.js';

/** A stream that can be stored up to `settled`, and what was told of it. */
class Moving {
  settled = 0;
  durable = 0;

  mark(): StreamMark[] {
    if (this.settled === this.durable) return [];
    const identity = { streamId: 1, kind: 'mixed', sourceId: null, codec: 'opus' } as const;
    const position = { ...identity, durable: this.settled, closed: false };
    const stream = { stored: () => this.#stored(position) };
    return [{ stream, position, settled: this.settled }];
  }

  #stored({ durable }: StreamPosition): void {
    this.durable = durable;
  }
}

/** Gates stand for Redis: each step waits until the test lets it pass. */
class Gate {
  waiting = 0;
  #settle: { pass(value: 'ok' | 'stale'): void; fail(error: Error): void } | undefined;

  enter(): Promise<'ok' | 'stale'> {
    this.waiting += 1;
    return new Promise((pass, fail) => {
      this.#settle = { pass, fail };
    });
  }

  async pass(value: 'ok' | 'stale' = 'ok'): Promise<void> {
    this.waiting -= 1;
    this.#settle?.pass(value);
    await turns();
  }

  async fail(): Promise<void> {
    this.waiting -= 1;
    this.#settle?.fail(new Error('away'));
    await turns();
  }
}

async function turns(): Promise<void> {
  for (let n = 0; n < 10; n += 1) await Promise.resolve();
}

function setUp(intervalMs: number) {
  const clock = new VirtualClock();
  const stream = new Moving();
  const events = new Gate();
  const store = new Gate();
  const told = { warnings: 0, moved: 0, stale: 0 };
  const positions = new DurablePositions({
    callId: 'c_1',
    clock,
    intervalMs,
    journal: {
      isFlushed: false,
      flushed: async () => {
        await events.enter();
      },
    },
    log: { debug() {}, info() {}, error() {}, warn: () => (told.warnings += 1) },
    marks: () => stream.mark(),
    store: () => store.enter(),
    onMoved: () => (told.moved += 1),
    onStale: () => (told.stale += 1),
  });
  return { clock, stream, events, store, told, positions };
}

describe('durable positions', () => {
  it('move once the events before them are published, and then they are stored', async () => {
    const { stream, events, store, told, positions } = setUp(0);
    stream.settled = 7;
    positions.advance();
    await turns();
    expect([events.waiting, store.waiting, stream.durable]).toEqual([1, 0, 0]);
    await events.pass();
    expect([store.waiting, stream.durable]).toEqual([1, 0]);
    await store.pass();
    expect([stream.durable, told.moved]).toEqual([7, 1]);
  });

  it('move one step at a time, and no more often than they may', async () => {
    const { clock, stream, events, store, positions } = setUp(500);
    stream.settled = 5;
    positions.advance();
    stream.settled = 10;
    positions.advance();
    await turns();
    expect(events.waiting).toBe(1);
    await events.pass();
    await store.pass();
    expect(stream.durable).toBe(5);
    positions.advance();
    await turns();
    expect(events.waiting).toBe(0);
    clock.advance(500);
    positions.advance();
    await turns();
    await events.pass();
    await store.pass();
    expect(stream.durable).toBe(10);
  });

  it('stand still while nothing can be stored, which is told once', async () => {
    const { clock, stream, events, store, told, positions } = setUp(500);
    for (let n = 1; n <= 3; n += 1) {
      stream.settled = n;
      positions.advance();
      await turns();
      if (n === 2) await events.fail();
      else {
        await events.pass();
        await store.fail();
      }
      clock.advance(500);
    }
    expect([stream.durable, told.moved, told.warnings]).toEqual([0, 0, 1]);
    positions.advance();
    await turns();
    await events.pass();
    await store.pass();
    expect([stream.durable, told.moved]).toEqual([3, 1]);
    stream.settled = 4;
    clock.advance(500);
    positions.advance();
    await turns();
    await events.fail();
    expect(told.warnings).toBe(2);
  });

  it('that are another worker’s stay where they are', async () => {
    const { stream, events, store, told, positions } = setUp(0);
    stream.settled = 7;
    positions.advance();
    await turns();
    await events.pass();
    await store.pass('stale');
    expect([stream.durable, told.moved, told.stale]).toEqual([0, 0, 1]);
  });

  it('are all stored at the end, whatever is under way', async () => {
    const { stream, events, store, positions } = setUp(60_000);
    stream.settled = 5;
    positions.advance();
    stream.settled = 9;
    let isFinished = false;
    const finished = positions.finish().then(() => {
      isFinished = true;
    });
    await turns();
    await events.pass();
    await store.pass();
    expect([stream.durable, isFinished]).toEqual([5, false]);
    await events.pass();
    await store.pass();
    await finished;
    expect(stream.durable).toBe(9);
  });
});
