import type { BenchDetector } from './our-detector.js';

/** The last line of stdout of `npm run bench -- dtmf`; a documented format (docs/performance.md). */
export interface DtmfResult {
  readonly detectors: Readonly<Record<string, DetectorResult>>;
  /** What ours was to reach (`TARGETS`) and did not, in words; empty when all is well. */
  readonly missedTargets: readonly string[];
  /** What could not be had and was left out, such as a peer while offline. */
  readonly missing: readonly string[];
  /** CPU time of ours for 20 ms of speech at 16 kHz; null without speech. */
  readonly speechMicrosPerFrame: number | null;
}

export interface GroupResult extends LossResult {
  /** Digits heard beyond the limits. */
  readonly falseAccepts: number;
  /** Digits heard in tones that are none. */
  readonly otherToneHits: number;
}

export interface LossResult {
  /** Digits that had to be heard. */
  readonly dialled: number;
  readonly accepted: number;
  readonly acceptedPercent: number;
  /** Digits heard besides those accepted. */
  readonly extra: number;
}

export interface TalkOff {
  readonly hours: number;
  /** Digits heard where none was dialled. */
  readonly hits: number;
}

export interface DetectorResult extends GroupResult {
  readonly reports: BenchDetector['reports'];
  /** From the end of a tone to the report of its digit; null when times are unknown. */
  readonly latencyP50Ms: number | null;
  readonly latencyP99Ms: number | null;
  readonly opus24: GroupResult;
  /** Ours through the pipeline, which knows what was lost; of peers what concealment leaves them. */
  readonly opus24Loss5: LossResult;
  /** Ours, when packets carry copies of the frames before them (in-band FEC): nothing lost, and 5 %. */
  readonly opus24Fec?: LossResult;
  readonly opus24FecLoss5?: LossResult;
  /** Ours: frames of PCM lost instead of packets. */
  readonly pcmLoss5?: LossResult;
  /** Of the digits of `opus24Loss5` and `pcmLoss5` those of which 15 ms or more came: the ceiling. */
  readonly receivedPercent?: number;
  readonly speech: TalkOff;
  /** Ours, one frame in twenty lost: of PCM at all speeds, and of Opus. */
  readonly speechPcmLoss5?: TalkOff;
  readonly speechOpusLoss5?: TalkOff;
  readonly music: TalkOff;
  /** Cells in which something was wrong, with what was heard. */
  readonly faults: readonly string[];
}

/** What ours is to reach. */
export const TARGETS = {
  acceptedPercent: 99.9,
  latencyP50Ms: 41,
  latencyP99Ms: 45,
  lossAcceptedPercent: 97,
  lossExtra: 5,
  talkOffPerHour: 0.1,
} as const;

/** Which targets ours missed, in words; CPU time, which depends on the machine, is not looked at. */
export function missedTargets(ours: DetectorResult): string[] {
  const missed: string[] = [];
  const check = (isMet: boolean, what: string): void => {
    if (!isMet) missed.push(what);
  };
  for (const [name, group] of [
    ['cells', ours],
    ['Opus', ours.opus24],
  ] as const) {
    check(group.acceptedPercent >= TARGETS.acceptedPercent, `${name}: accepted`);
    check(group.extra === 0, `${name}: extra digits`);
    check(group.falseAccepts === 0, `${name}: false accepts`);
    check(group.otherToneHits === 0, `${name}: other tones`);
  }
  for (const [name, loss] of [
    ['Opus, 5 % lost', ours.opus24Loss5],
    ['Opus with FEC, 5 % lost', ours.opus24FecLoss5],
    ['PCM, 5 % lost', ours.pcmLoss5],
  ] as const) {
    if (loss === undefined) continue;
    check(loss.acceptedPercent >= TARGETS.lossAcceptedPercent, `${name}: accepted`);
    check(loss.extra <= TARGETS.lossExtra, `${name}: extra digits`);
  }
  check((ours.latencyP50Ms ?? 0) <= TARGETS.latencyP50Ms, 'latency p50');
  check((ours.latencyP99Ms ?? 0) <= TARGETS.latencyP99Ms, 'latency p99');
  const isRare = ({ hits, hours }: TalkOff): boolean =>
    hits <= Math.max(1, hours) * TARGETS.talkOffPerHour;
  check(isRare(ours.speech), 'talk-off');
  const { speechPcmLoss5: pcm, speechOpusLoss5: opus } = ours;
  if (pcm !== undefined && opus !== undefined) {
    check(
      isRare({ hits: pcm.hits + opus.hits, hours: pcm.hours + opus.hours }),
      'talk-off, 5 % lost',
    );
  }
  return missed;
}
