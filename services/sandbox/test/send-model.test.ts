import type { HostSendMessage, SendStreamProgress } from '@earshot/bridge-protocol';
import { sequenceDistance } from '@earshot/bridge-protocol';
import type { Arbitrary } from 'fast-check';
import {
  array,
  assert,
  boolean,
  constant,
  constantFrom,
  integer,
  nat,
  oneof,
  property,
  record,
} from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pcmOf, SendStage } from './send-kit.js';

const STREAM = 1;

interface Step {
  readonly kind: 'frames' | 'jump' | 'tick' | 'mark' | 'clear' | 'close' | 'break';
  readonly count: number;
}

/** A worker that keeps to the rules, and checks that the host does. */
class ModelSender {
  readonly stage: SendStage;
  readonly #bufferFrames: number;
  readonly #first: number;
  /** Frames that were received and not cleared, in order: all that may be heard. */
  #wanted: number[] = [];
  #next: number;
  #limit: number;
  #received: number;
  #played: number;
  #waiting = new Map<string, number>();
  #marks = 0;
  isClosed = false;
  isOver = false;

  constructor(bufferFrames: number, first: number) {
    this.#bufferFrames = bufferFrames;
    this.#first = first;
    this.#next = first;
    this.#limit = first;
    this.#received = first;
    this.#played = first;
    this.stage = new SendStage({ bufferFrames });
    this.#open();
  }

  run({ kind, count }: Step): void {
    if (this.isOver) return;
    if (kind === 'tick') this.stage.tick(count);
    else if (kind === 'break') this.#break(count);
    else if (kind === 'mark') this.#mark(count);
    else if (kind === 'clear') this.stage.say({ type: 'clear', streamId: STREAM });
    else if (!this.isClosed) this.#send(kind, count);
    this.#listen();
  }

  /** Closes, and plays to the end. */
  finish(): void {
    this.run({ kind: 'close', count: 0 });
    for (let n = 0; n < 2_000 && !this.isOver; n += 1) this.run({ kind: 'tick', count: 1 });
  }

  expectAllHeard(): void {
    expect(this.isOver).toBe(true);
    expect(this.#waiting.size).toBe(0);
    const heard = this.stage.heardFrames().filter((pcm) => pcm.some((sample) => sample !== 0));
    expect(heard).toEqual(this.#wanted.map((sequence) => pcmOf(sequence % 1_000)));
  }

  #open(): void {
    this.stage.open('model', STREAM, 'pcm16', this.#first);
    const [opened] = this.stage.answers();
    if (opened?.type !== 'sendOpened') throw new Error('It was not opened');
    expect(opened.nextSequence).toBe(this.#next);
    this.#note(opened.nextSequence, this.#played, opened.creditFrames);
  }

  #send(kind: 'frames' | 'jump' | 'close', count: number): void {
    if (kind === 'close') {
      this.isClosed = true;
      this.stage.say({ type: 'sendClose', streamId: STREAM, nextSequence: this.#next });
      return;
    }
    if (kind === 'jump') {
      this.#next = (this.#next + Math.min(count, Math.max(0, this.#credit - 1))) >>> 0;
    }
    for (let n = 0; n < count && this.#credit > 0; n += 1) {
      this.#wanted.push(this.#next);
      this.stage.sound(STREAM, this.#next, pcmOf(this.#next % 1_000));
      this.#next = (this.#next + 1) >>> 0;
    }
  }

  get #credit(): number {
    return Math.max(0, sequenceDistance(this.#next, this.#limit));
  }

  #mark(ahead: number): void {
    if (this.#waiting.size === 64) return;
    this.#marks += 1;
    const name = `m${this.#marks}`;
    const sequence = (this.#next + ahead - 5) >>> 0;
    this.#waiting.set(name, sequence);
    this.stage.say({ type: 'mark', streamId: STREAM, name, sequence });
  }

  #break(ticks: number): void {
    this.stage.sends.linkLost();
    this.stage.tick(ticks);
    this.stage.link();
    this.#open();
    for (const [name, sequence] of this.#waiting) {
      this.stage.say({ type: 'mark', streamId: STREAM, name, sequence });
    }
    if (!this.isClosed) return;
    this.stage.say({ type: 'sendClose', streamId: STREAM, nextSequence: this.#next });
  }

  #listen(): void {
    const { said } = this.stage;
    this.stage.said = [];
    for (const message of said) this.#hear(message);
    expect(this.stage.faults).toEqual([]);
  }

  #hear(message: HostSendMessage): void {
    switch (message.type) {
      case 'sendProgress': {
        const [position] = message.streams;
        if (position === undefined) return;
        this.#note(position.received, position.played, position.creditFrames);
        expect(position.creditFrames + this.#waitingAt(position)).toBeLessThanOrEqual(
          this.#bufferFrames,
        );
        return;
      }
      case 'marked': {
        const sequence = this.#waiting.get(message.name);
        expect(sequence, `an answer to ${message.name} once`).toBeDefined();
        this.#waiting.delete(message.name);
        return;
      }
      case 'cleared': {
        const { firstSequence, frames } = message;
        const isKept = (sequence: number): boolean => sequenceDistance(firstSequence, sequence) < 0;
        const before = this.#wanted.length;
        this.#wanted = this.#wanted.filter(isKept);
        expect(frames).toBe(before - this.#wanted.length);
        return;
      }
      case 'sendClosed':
        this.isOver = true;
        return;
      default:
    }
  }

  /** Frames that the host had and had not played. */
  #waitingAt({ received, played }: SendStreamProgress): number {
    return this.#wanted.filter(
      (sequence) =>
        sequenceDistance(played, sequence) >= 0 && sequenceDistance(sequence, received) > 0,
    ).length;
  }

  #note(received: number, played: number, creditFrames: number): void {
    const limit = (received + creditFrames) >>> 0;
    expect(sequenceDistance(this.#received, received)).toBeGreaterThanOrEqual(0);
    expect(sequenceDistance(this.#played, played)).toBeGreaterThanOrEqual(0);
    expect(sequenceDistance(this.#limit, limit)).toBeGreaterThanOrEqual(0);
    expect(sequenceDistance(played, received)).toBeGreaterThanOrEqual(0);
    expect(creditFrames).toBeLessThanOrEqual(this.#bufferFrames);
    [this.#received, this.#played, this.#limit] = [received, played, limit];
  }
}

function step(): Arbitrary<Step> {
  const of = (kind: Step['kind'], count: number): Arbitrary<Step> =>
    record({ kind: constant(kind), count: nat(count) });
  return oneof(
    { weight: 5, arbitrary: of('frames', 12) },
    { weight: 1, arbitrary: of('jump', 4) },
    { weight: 5, arbitrary: of('tick', 12) },
    { weight: 2, arbitrary: of('mark', 15) },
    { weight: 1, arbitrary: of('clear', 0) },
    { weight: 1, arbitrary: of('break', 20) },
  );
}

describe('a send stream', () => {
  it('is heard once and in order, and keeps credit, positions and marks, whatever happens', () => {
    assert(
      property(
        integer({ min: 8, max: 40 }),
        constantFrom(0, 0xffff_fff0),
        array(step(), { maxLength: 60 }),
        boolean(),
        (bufferFrames, first, steps, breaksAtEnd) => {
          const sender = new ModelSender(bufferFrames, first);
          for (const s of steps) sender.run(s);
          sender.run({ kind: 'close', count: 0 });
          if (breaksAtEnd) sender.run({ kind: 'break', count: 3 });
          sender.finish();
          sender.expectAllHeard();
        },
      ),
      { numRuns: 100 },
    );
  });
});
