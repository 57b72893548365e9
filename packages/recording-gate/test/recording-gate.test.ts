import { VirtualClock } from '@earshot/async';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { GateState, RecordingPermit, RecordingSink } from '../src/index.js';
import { closedGate, PermittedWriter, RecordingGate, reduceGate } from '../src/index.js';

const CLOSED = closedGate('declaration');
const OPEN = reduceGate(CLOSED, { kind: 'declared' });
const CLOSED_AGAIN = reduceGate(OPEN, { kind: 'closed', reason: 'withdrawn' });
const OPEN_AGAIN = reduceGate(CLOSED_AGAIN, { kind: 'declared' });
const STALE_MS = 2_000;

let clock: VirtualClock;
let gate: RecordingGate;

beforeEach(() => {
  clock = new VirtualClock();
  gate = new RecordingGate({ clock, staleAfterMs: STALE_MS });
});

function permitOf(state: GateState): RecordingPermit {
  gate.follow(state);
  const permit = gate.permit();
  if (permit === undefined) throw new Error('the gate is closed');
  return permit;
}

/** Keeps what it is given in memory. */
function sink(): RecordingSink<string> & { items: string[]; closed: number } {
  return {
    items: [],
    closed: 0,
    write(item) {
      this.items.push(item);
    },
    close() {
      this.closed += 1;
    },
  };
}

describe('a recording gate', () => {
  it('gives no permit until it is told that it is open', () => {
    expect(gate.permit()).toBeUndefined();
    gate.follow(undefined);
    gate.follow(CLOSED);
    expect(gate.permit()).toBeUndefined();
    expect(permitOf(OPEN).isValid).toBe(true);
  });

  it('gives the same permit while it stays open', () => {
    const permit = permitOf(OPEN);
    clock.advance(STALE_MS - 1);
    expect(permitOf(OPEN)).toBe(permit);
    clock.advance(STALE_MS - 1);
    expect(permit.isValid).toBe(true);
  });

  it.each([
    ['it closes', () => gate.follow(CLOSED_AGAIN)],
    ['nothing is known of it', () => gate.follow(undefined)],
    ['nothing was heard of it for too long', () => clock.advance(STALE_MS)],
    ['it closed and opened unseen', () => gate.follow(OPEN_AGAIN)],
    ['its owner lets go', () => gate.close()],
  ])('revokes the permit when %s, once', (_, happens) => {
    const permit = permitOf(OPEN);
    const revoked = vi.fn();
    const unwanted = vi.fn();
    permit.onRevoked(revoked);
    permit.onRevoked(unwanted)();
    happens();
    expect(permit.isValid).toBe(false);
    gate.close();
    expect(revoked).toHaveBeenCalledTimes(1);
    expect(unwanted).not.toHaveBeenCalled();
    expect(gate.permit()).not.toBe(permit);
    expect(permitOf(OPEN_AGAIN)).not.toBe(permit);
    expect(permit.isValid).toBe(false);
  });
});

describe('a permitted writer', () => {
  it('writes while the permit is valid, and is closed with it', () => {
    const to = sink();
    const writer = new PermittedWriter(permitOf(OPEN), () => to);
    expect(writer.write('one')).toBe(true);
    gate.follow(CLOSED_AGAIN);
    expect(to.closed).toBe(1);
    expect(writer.write('two')).toBe(false);
    expect(writer.refused).toBe(1);
    expect(to.items).toEqual(['one']);
    writer.close();
    expect(to.closed).toBe(1);
  });

  it('opens nothing for a permit that has ended', () => {
    const permit = permitOf(OPEN);
    gate.close();
    const openSink = vi.fn(sink);
    const writer = new PermittedWriter(permit, openSink);
    expect(writer.write('late')).toBe(false);
    expect(openSink).not.toHaveBeenCalled();
  });
});

it('a permit that ends while the sink is opened has it closed', () => {
  const kept = sink();
  const writer = new PermittedWriter(permitOf(OPEN), () => {
    gate.close();
    return kept;
  });
  expect(writer.write('late')).toBe(false);
  expect(kept).toMatchObject({ items: [], closed: 1 });
});

it('a sink that cannot be closed does not keep the others open', () => {
  const permit = permitOf(OPEN);
  const broken = sink();
  broken.close = () => {
    throw new Error('disk full');
  };
  new PermittedWriter(permit, () => broken);
  const kept = sink();
  new PermittedWriter(permit, () => kept);
  expect(() => gate.close()).toThrow('disk full');
  expect(kept.closed).toBe(1);
  expect([gate.isOpen, permit.isValid]).toEqual([false, false]);
});

it('a permit is no means to make another', () => {
  const permit = permitOf(OPEN);
  for (const key of [undefined, 'graph', Symbol('recording permit')]) {
    const forge = () => Reflect.construct(permit.constructor, [key, 'graph', () => true]);
    expect(forge).toThrow(expect.objectContaining({ code: 'permit_forged' }));
  }
  expect(() => Object.create(permit).isValid).toThrow(TypeError);
});
