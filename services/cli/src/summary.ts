import type { LiveModel } from './live-model.js';

/** What `earshot start --once --json` prints as its last line. */
export interface Summary {
  readonly callStates: readonly string[];
  /** Participants heard of, Earshot's own leg not counted. */
  readonly participants: number;
  readonly framesReceived: number;
  readonly framesDecoded: number;
  readonly framesConcealed: number;
  readonly gaps: number;
  readonly tones: readonly {
    readonly participant: string;
    readonly digit: string;
    readonly durationMs: number;
  }[];
  readonly phrases: readonly {
    readonly participant: string;
    readonly phrase: string;
    readonly startMs: number;
    readonly endMs: number;
    readonly confidence: number;
  }[];
  readonly speechSegments: number;
  readonly eventsPublished: number;
  readonly eventsConsumed: number;
}

/** Sums up a finished call. Tones and phrases come in the order in which they were heard. */
export function summarise(model: LiveModel): Summary {
  const tones = [...model.participants.values()]
    .flatMap((participant) =>
      participant.digits.map((tone) => ({ participant: participant.name, ...tone })),
    )
    .sort((a, b) => a.startMs - b.startMs)
    .map(({ participant, digit, durationMs }) => ({ participant, digit, durationMs }));
  const phrases = [...model.participants.values()]
    .flatMap(({ name, phrases: spoken }) =>
      spoken.map(({ phrase, startMs, endMs, confidence }) => ({
        participant: name,
        phrase,
        startMs,
        endMs,
        confidence,
      })),
    )
    .sort((a, b) => a.startMs - b.startMs);
  return {
    callStates: model.states,
    participants: [...model.participants.values()].filter((p) => p.kind !== 'application').length,
    framesReceived: model.totals?.framesReceived ?? 0,
    framesDecoded: model.totals?.framesDecoded ?? 0,
    framesConcealed: model.totals?.framesConcealed ?? 0,
    gaps: model.totals?.gaps ?? model.gapCount,
    tones,
    phrases,
    speechSegments: model.speechSegments,
    eventsPublished: model.eventsPublished,
    eventsConsumed: model.eventsConsumed,
  };
}
