import type { CallToneKind } from '@earshot/call-tones';

/** The last line of stdout of `npm run bench -- tones`; a documented format (docs/performance.md). */
export interface TonesResult {
  readonly seed: number;
  readonly plain: PathResult;
  /** Through Opus at 24 kbit/s, through the pipeline. */
  readonly opus24: PathResult;
  /** The same with one packet in twenty lost. */
  readonly opus24Loss5: PathResult;
  /** Frames of PCM lost instead. */
  readonly pcmLoss5: PathResult;
  /** From where enough of a tone has sounded to its being told, by kind. */
  readonly latencyMs: Readonly<Partial<Record<CallToneKind, Latency>>>;
  /** Told of what is none: by what sounded. */
  readonly speech: FalseTones;
  /** The same speech with one frame in twenty lost. */
  readonly speechLoss5: FalseTones;
  readonly music: FalseTones;
  readonly digits: FalseTones;
  /** CPU time for 20 ms at 16 kHz, by what sounds; null without speech. */
  readonly micros: Readonly<Record<'speech' | 'tone' | 'silence', number | null>>;
  /** What was to be reached (`TARGETS`) and was not, in words. */
  readonly missedTargets: readonly string[];
  /** What could not be had and was left out. */
  readonly missing: readonly string[];
  /** Cells in which something was wrong on the plain way, with what was told. */
  readonly faults: readonly string[];
}

export interface PathResult {
  readonly cells: number;
  /** Told, and as what they are. */
  readonly accepted: number;
  readonly acceptedPercent: number;
  /** Told besides: twice, or of another kind. */
  readonly extra: number;
  readonly byKind: Readonly<Partial<Record<CallToneKind, readonly [number, number]>>>;
}

export interface Latency {
  readonly p50: number;
  readonly p99: number;
}

export interface FalseTones {
  readonly hours: number;
  /** Told though none was there, by kind. */
  readonly told: Readonly<Partial<Record<CallToneKind, number>>>;
}

export const TARGETS = {
  acceptedPercent: 99,
  lossAcceptedPercent: 90,
  /** Over all cells. */
  lossExtra: 5,
  /** Beeps in music apart: a note of a pure tone is one. */
  falsePerHour: 0.5,
} as const;

export function missedTargets(
  result: Pick<
    TonesResult,
    'plain' | 'opus24' | 'opus24Loss5' | 'pcmLoss5' | 'speech' | 'speechLoss5' | 'digits'
  >,
): string[] {
  const missed: string[] = [];
  const check = (isMet: boolean, what: string): void => {
    if (!isMet) missed.push(what);
  };
  for (const [name, path] of [
    ['cells', result.plain],
    ['Opus', result.opus24],
  ] as const) {
    check(path.acceptedPercent >= TARGETS.acceptedPercent, `${name}: accepted`);
    check(path.extra === 0, `${name}: extra tones`);
  }
  for (const [name, path] of [
    ['Opus, 5 % lost', result.opus24Loss5],
    ['PCM, 5 % lost', result.pcmLoss5],
  ] as const) {
    check(path.acceptedPercent >= TARGETS.lossAcceptedPercent, `${name}: accepted`);
    check(path.extra <= TARGETS.lossExtra, `${name}: extra tones`);
  }
  for (const [name, { hours, told }] of [
    ['speech', result.speech],
    ['speech, 5 % lost', result.speechLoss5],
    ['digits', result.digits],
  ] as const) {
    const count = Object.values(told).reduce((sum, each) => sum + each, 0);
    check(count <= Math.ceil(hours * TARGETS.falsePerHour), `false in ${name}`);
  }
  return missed;
}
