import type { EarshotEvent } from '@earshot/events';
import { describe, expect, it } from 'vitest';
import { MediaTimes } from '../src/transcripts/media-times.js';

const NOON_MS = Date.parse('2026-01-01T12:00:00.000Z');

/** Found `lateMs` after its place on a media clock whose zero was at noon. */
function found(mediaTimeMs: number, lateMs: number, type = 'speech.started'): EarshotEvent {
  const wallclock = new Date(NOON_MS + mediaTimeMs + lateMs).toISOString();
  return { callId: 'c_1', type, mediaTimeMs, wallclock } as EarshotEvent;
}

describe('when something was spoken', () => {
  it('is as the event that was found fastest tells', () => {
    const times = new MediaTimes();
    times.see(found(1000, 200));
    const late = found(9000, 30_000, 'transcript.final');
    times.see(late);
    expect(times.beganAtMs(late, 7000, 9000) - NOON_MS).toBe(7200);
  });

  it('is no later than the event allows, where nothing is known', () => {
    const late = found(9000, 500);
    expect(new MediaTimes().beganAtMs(late, 7000, 9000) - NOON_MS).toBe(7500);
  });

  it('follows clocks that are set, within minutes', () => {
    const times = new MediaTimes();
    times.see(found(0, -3_600_000));
    for (let atMs = 0; atMs <= 130_000; atMs += 10_000) times.see(found(atMs, 100));
    expect(times.beganAtMs(found(131_000, 100), 130_000, 131_000) - NOON_MS).toBe(130_100);
  });

  it('begins anew with the media', () => {
    const times = new MediaTimes();
    times.see(found(0, 100));
    const again = found(0, 600_000, 'media.started');
    times.see(again);
    const said = found(1000, 600_000);
    expect(times.beganAtMs(said, 500, 1000) - NOON_MS).toBe(600_500);
  });
});
