import { createOpusEngine, encodeFrames } from '@earshot/opus';
import { expect, it } from 'vitest';
import { CALL_TONES } from './call-tones.js';
import { FRAME, hear, kindsOf, pcmOf, sound } from './signal.js';

const engine = await createOpusEngine();
const pool = engine.createDecoderPool({ sampleRateHz: 16_000, channels: 1, capacity: 1 });

function throughOpus(pcm: Int16Array): Int16Array {
  const decoder = pool.acquire();
  const decoded = new Int16Array(pcm.length);
  const packets = encodeFrames(engine, pcm, {
    ...{ sampleRateHz: 16_000, channels: 1, bitrateBps: 24_000, dtx: false, application: 'voip' },
  });
  for (const [n, packet] of packets.entries()) {
    decoder.decode(packet, 0, packet.length, decoded.subarray(n * FRAME, (n + 1) * FRAME));
  }
  decoder.release();
  return decoded;
}

it.each(CALL_TONES)('%s is told once through Opus at 24 kbit/s', (_, kind, parts) => {
  const pcm = pcmOf(sound({ ms: 500 }, ...parts, { ms: 500 }));
  expect(kindsOf(hear(throughOpus(pcm)))).toEqual([kind]);
});
