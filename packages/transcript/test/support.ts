import type {
  FinalEvent,
  GapEvent,
  PartialEvent,
  ParticipantEvent,
  SkippedEvent,
  UtteranceText,
} from '../src/index.js';

const ADA = { id: 'p_ada', displayName: 'Ada' };

export const ENVELOPE = {
  callId: 'c_1',
  epoch: 1,
  wallclock: '2026-01-01T00:00:00.000Z',
  participant: ADA,
  sourceId: '7',
};

/** Words of half a second, one after the other. */
export function textOf(text: string, startMs = 0): UtteranceText {
  const words = text.split(' ').map((word, n) => ({
    text: word.replace(/[^\p{L}\p{N}']/gu, ''),
    startMs: startMs + n * 500,
    endMs: startMs + n * 500 + 400,
    confidence: 0.9,
  }));
  return {
    utteranceId: `u_${startMs}`,
    text,
    startMs,
    endMs: startMs + words.length * 500 - 100,
    words,
    gaps: [],
    confidence: 0.9,
    engine: 'test',
    language: 'en-US',
  };
}

export function finalEvent(data: UtteranceText, more: Partial<FinalEvent> = {}): FinalEvent {
  return { ...ENVELOPE, id: `${data.utteranceId}.final`, type: 'transcript.final', data, ...more };
}

export function partialEvent(data: UtteranceText, revision: number): PartialEvent {
  const id = `${data.utteranceId}.partial.${revision}`;
  return { ...ENVELOPE, id, type: 'transcript.partial', data: { ...data, revision } };
}

export function skippedEvent(startMs: number, endMs: number): SkippedEvent {
  const utterance = { utteranceId: `u_${startMs}`, startMs, endMs, reason: 'overCapacity' };
  const data = { ...utterance, task: 'dictation' as const };
  return { ...ENVELOPE, id: `u_${startMs}.skipped`, type: 'transcript.skipped', data };
}

export function gapEvent(startMs: number, durationMs: number): GapEvent {
  const id = `gap.${startMs}`;
  return { ...ENVELOPE, id, type: 'media.gap', data: { startMs, durationMs } };
}

export function namedEvent(displayName: string, wallclock: string): ParticipantEvent {
  const participant = { id: ADA.id, displayName };
  const id = `updated.${wallclock}`;
  return { ...ENVELOPE, id, type: 'participant.updated', participant, wallclock, sourceId: null };
}
