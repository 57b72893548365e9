import { VirtualClock } from '@earshot/async';
import { describe, expect, it } from 'vitest';
import { SPEECH_NOTE_INTERVAL_MS, SpeechNotes } from '../src/speech-notes.js';

describe('notes of speech', () => {
  it('are written at the first word, and rarely while it goes on', () => {
    const clock = new VirtualClock();
    const noted: number[] = [];
    const notes = new SpeechNotes({ clock, note: async (atMs) => void noted.push(atMs) });
    const startMs = clock.wallclockMs();
    for (let second = 0; second <= 60; second += 1) {
      notes.spoke();
      clock.advance(1_000);
    }
    expect(noted.map((atMs) => atMs - startMs)).toEqual([0, 15_000, 30_000, 45_000, 60_000]);
  });

  it('are written again soon when the registry was away', async () => {
    const clock = new VirtualClock();
    let tries = 0;
    const notes = new SpeechNotes({
      clock,
      note: () => {
        tries += 1;
        return tries === 1 ? Promise.reject(new Error('away')) : Promise.resolve();
      },
    });
    notes.spoke();
    await Promise.resolve();
    await Promise.resolve();
    notes.spoke();
    notes.spoke();
    expect(tries).toBe(2);
    clock.advance(SPEECH_NOTE_INTERVAL_MS);
    notes.spoke();
    expect(tries).toBe(3);
  });
});
