import { createOpusEngine, encodeFrames } from '@earshot/opus';
import { expect, it } from 'vitest';
import type { CallTone } from '../src/index.js';
import { CALL_TONES } from './call-tones.js';
import type { Part } from './signal.js';
import { FRAME, hearLossy, kindsOf, pcmOf, sound } from './signal.js';

const engine = await createOpusEngine();
const pool = engine.createDecoderPool({ sampleRateHz: 16_000, channels: 1, capacity: 1 });

function encoded(parts: readonly Part[]): Uint8Array[] {
  return encodeFrames(engine, pcmOf(sound({ ms: 500 }, ...parts, { ms: 500 })), {
    ...{ sampleRateHz: 16_000, channels: 1, bitrateBps: 24_000, dtx: false, application: 'voip' },
  });
}

/** What comes of the packets, as a pipeline decodes them: what is lost is concealed, and not heard. */
function heard(
  packets: readonly Uint8Array[],
  isLost: (n: number) => boolean = () => false,
): CallTone[] {
  const decoder = pool.acquire();
  const decoded = new Int16Array(packets.length * FRAME);
  for (const [n, packet] of packets.entries()) {
    const frame = decoded.subarray(n * FRAME, (n + 1) * FRAME);
    if (isLost(n)) decoder.conceal(FRAME, frame);
    else decoder.decode(packet, 0, packet.length, frame);
  }
  decoder.release();
  return hearLossy(decoded, isLost);
}

it.each(CALL_TONES)('%s is told once through Opus at 24 kbit/s', (_, kind, parts) => {
  expect(kindsOf(heard(encoded(parts)))).toEqual([kind]);
});

it.each(CALL_TONES.filter(([, , , , endMs]) => endMs <= 1500))(
  '%s is told once through Opus whichever packet of it is lost',
  (_, kind, parts, startMs, endMs) => {
    const packets = encoded(parts);
    const first = Math.floor((500 + startMs) / 20);
    const last = Math.floor((500 + endMs) / 20);
    const faults: string[] = [];
    for (let lost = first; lost <= last; lost += 1) {
      const told = kindsOf(heard(packets, (n) => n === lost));
      if (told.join() !== kind) faults.push(`${lost}: ${told.join()}`);
    }
    expect(faults).toEqual([]);
  },
);
