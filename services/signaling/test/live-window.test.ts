import type { EarshotEvent } from '@earshot/events';
import { array, assert, integer, nat, property } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LiveWindow } from '../src/taps/live-window.js';

function event(n: number, id = `e${n}`): EarshotEvent {
  return {
    ...{ version: 1, id, type: 'speech.started', callId: `c_${n % 3}`, epoch: 1, source: 'media' },
    ...{ position: n, mediaTimeMs: n, wallclock: '2026-11-23T20:00:00.000Z' },
    ...{ participant: null, sourceId: null, data: { startMs: n } },
  };
}

describe('a live window', () => {
  it('holds the newest events, each once, under numbers without holes', () => {
    assert(
      property(integer({ min: 1, max: 20 }), array(nat(40)), (capacity, pushed) => {
        const window = new LiveWindow(capacity);
        let model: number[] = [];
        for (const n of pushed) {
          window.push(event(n));
          if (!model.includes(n)) model = [...model, n].slice(-capacity);
          const held = Array.from({ length: window.end - window.start }, (_, i) =>
            window.at(window.start + i),
          );
          expect(held.map((live) => live?.id)).toEqual(model.map((each) => `e${each}`));
          for (const each of model) {
            expect(window.at(window.numberOf(`e${each}`) ?? -1)?.id).toBe(`e${each}`);
          }
        }
        expect([window.at(window.start - 1), window.at(window.end)]).toEqual([
          undefined,
          undefined,
        ]);
      }),
    );
  });

  it('leaves all behind when events were missed', () => {
    assert(
      property(integer({ min: 1, max: 20 }), nat(40), nat(40), (capacity, before, after) => {
        const window = new LiveWindow(capacity);
        for (let n = 0; n < before; n += 1) window.push(event(n));
        const next = window.end;
        window.skip();
        expect(window.start).toBeGreaterThan(next);
        for (let n = 0; n < after; n += 1) window.push(event(n));
        expect(window.numberOf('e0') === undefined).toBe(after === 0 || after > capacity);
      }),
    );
  });

  it('writes an id on one line, whatever it is', () => {
    const window = new LiveWindow(1);
    window.push(event(1, 'a\nevent: b\r\n'));
    const lines = window.at(0)?.frame.split(/\r\n|\r|\n/) ?? [];
    expect(lines.map((line) => line.split(':')[0])).toEqual(['id', 'event', 'data', '', '']);
  });
});
