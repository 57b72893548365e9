import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { GateBasis, GateInput, GateState } from '../src/index.js';
import { closedGate, parseGateState, reduceGate } from '../src/index.js';

const basis = fc.constantFrom<GateBasis>('graph', 'declaration');
const request = fc.constantFrom('r1', 'r2', 'r3');
const input: fc.Arbitrary<GateInput> = fc.oneof(
  fc.record({ kind: fc.constant<'asked'>('asked'), request }),
  fc.record({ kind: fc.constant<'granted'>('granted'), request }),
  fc.record({ kind: fc.constant<'declared'>('declared') }),
  fc.record({
    kind: fc.constant<'closed'>('closed'),
    reason: fc.constantFrom('notRecording', 'failed', 'refused', 'withdrawn', 'callEnded'),
  }),
);

/** Whether the last inputs hold what may open a gate, found without the reducer. */
function mayBeOpen(allows: GateBasis, inputs: readonly GateInput[]): boolean {
  if (inputs.some((i) => i.kind === 'closed' && i.reason === 'callEnded')) return false;
  const sinceClose = inputs.slice(inputs.findLastIndex(({ kind }) => kind === 'closed') + 1);
  if (allows === 'declaration') return sinceClose.some(({ kind }) => kind === 'declared');
  return sinceClose.some(
    (i, at) =>
      i.kind === 'granted' &&
      sinceClose.slice(0, at).some((a) => a.kind === 'asked' && a.request === i.request),
  );
}

describe('a gate', () => {
  it('is closed by default', () => {
    expect(closedGate('graph')).toMatchObject({ state: 'closed', basis: null, reason: 'default' });
  });

  it('is never open without a success or a declaration since it was closed last', () => {
    fc.assert(
      fc.property(basis, fc.array(input, { maxLength: 30 }), (allows, inputs) => {
        let gate: GateState = closedGate(allows);
        inputs.forEach((next, at) => {
          gate = reduceGate(gate, next);
          if (gate.state === 'open') {
            expect(mayBeOpen(allows, inputs.slice(0, at + 1))).toBe(true);
            expect(gate.basis).toBe(allows);
          }
        });
      }),
    );
  });

  it('is as it was when it is stored and read back, and counts its changes', () => {
    fc.assert(
      fc.property(basis, fc.array(input, { maxLength: 30 }), (allows, inputs) => {
        let gate: GateState = closedGate(allows);
        let changes = 0;
        for (const next of inputs) {
          const before: string = gate.state;
          gate = reduceGate(gate, next);
          if (gate.state !== before) changes += 1;
          expect(gate.changes).toBe(changes);
          expect(parseGateState(JSON.parse(JSON.stringify(gate)))).toEqual(gate);
        }
      }),
    );
  });

  it('opens when Graph granted what was asked', () => {
    const asked = reduceGate(closedGate('graph'), { kind: 'asked', request: 'r1' });
    expect(asked.state).toBe('closed');
    expect(reduceGate(asked, { kind: 'granted', request: 'r1' })).toMatchObject({
      state: 'open',
      basis: 'graph',
    });
  });

  it('does not open for a success that comes after it was closed', () => {
    const asked = reduceGate(closedGate('graph'), { kind: 'asked', request: 'r1' });
    const closed = reduceGate(asked, { kind: 'closed', reason: 'notRecording' });
    expect(closed.reason).toBe('notRecording');
    expect(reduceGate(closed, { kind: 'granted', request: 'r1' }).state).toBe('closed');
  });

  it('takes no declaration where Graph has to be asked, and no grant where it cannot be', () => {
    expect(reduceGate(closedGate('graph'), { kind: 'declared' }).state).toBe('closed');
    const gate = reduceGate(closedGate('declaration'), { kind: 'asked', request: 'r1' });
    expect(reduceGate(gate, { kind: 'granted', request: 'r1' }).state).toBe('closed');
    expect(reduceGate(gate, { kind: 'declared' }).state).toBe('open');
  });

  it('never opens again after the end of the call', () => {
    const over = reduceGate(closedGate('declaration'), { kind: 'closed', reason: 'callEnded' });
    expect(reduceGate(over, { kind: 'declared' })).toBe(over);
  });

  it('is not read from anything else', () => {
    const open = { allows: 'graph', basis: 'graph', changes: 1, reason: 'recording' };
    for (const value of [
      undefined,
      null,
      'open',
      { state: 'open' },
      { ...open, state: 'ajar' },
      { ...open, state: 'open', allows: 'declaration' },
    ]) {
      expect(parseGateState(value)).toBeUndefined();
    }
    expect(parseGateState({ ...open, state: 'open' })?.state).toBe('open');
  });
});
