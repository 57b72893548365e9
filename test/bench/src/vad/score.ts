import type { Heard, Start } from './detectors.js';
import type { Mix } from './mixes.js';

export interface Score {
  readonly auc: number | null;
  readonly detectedPercent: number | null;
  readonly falsePercent: number;
  readonly onsetP50Ms: number | null;
  readonly onsetP90Ms: number | null;
  /** From where a word begins to where its talkspurt is told, of media time. */
  readonly toldP50Ms: number | null;
  readonly toldP90Ms: number | null;
}

/** Frames after speech that belong to nobody: the hangover of a talkspurt, and what the labels are off. */
const AFTER_FRAMES = 18;
const BEFORE_FRAMES = 6;
/** A talkspurt that starts no further than this from a word's beginning is that word's. */
const ONSET_FRAMES = 25;

/** What a detector said of mixes of one kind. */
export function score(pairs: readonly { readonly mix: Mix; readonly heard: Heard }[]): Score {
  const speech: number[] = [];
  const other: number[] = [];
  let detected = 0;
  let wrong = 0;
  const onsets: number[] = [];
  const told: number[] = [];
  for (const { mix, heard } of pairs) {
    mix.isSpeech.forEach((isSpeech, n) => {
      if (isSpeech) {
        speech.push(heard.scores[n]!);
        if (heard.speaking[n]) detected += 1;
        const start = n > 0 && !mix.isSpeech[n - 1] ? startNear(heard, n) : undefined;
        if (start === undefined) return;
        onsets.push(Math.abs(start.frame - n) * 20);
        told.push((start.toldFrame + 1 - n) * 20);
      } else if (
        !mix.isSpeech.slice(Math.max(0, n - AFTER_FRAMES), n + BEFORE_FRAMES).includes(true)
      ) {
        other.push(heard.scores[n]!);
        if (heard.speaking[n]) wrong += 1;
      }
    });
  }
  return {
    auc: speech.length === 0 ? null : areaUnderCurve(speech, other),
    detectedPercent: speech.length === 0 ? null : (100 * detected) / speech.length,
    falsePercent: (100 * wrong) / Math.max(1, other.length),
    onsetP50Ms: quantile(onsets, 0.5),
    onsetP90Ms: quantile(onsets, 0.9),
    toldP50Ms: quantile(told, 0.5),
    toldP90Ms: quantile(told, 0.9),
  };
}

export function quantile(values: readonly number[], q: number): number | null {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(q * (sorted.length - 1))] ?? null;
}

/** The talkspurt of the word that begins in frame `n`. */
function startNear({ starts }: Heard, n: number): Start | undefined {
  return starts.find(({ frame }) => Math.abs(frame - n) <= ONSET_FRAMES);
}

function areaUnderCurve(speech: readonly number[], other: readonly number[]): number {
  const all = [...speech.map((s) => [s, 1] as const), ...other.map((s) => [s, 0] as const)];
  all.sort((a, b) => a[0] - b[0]);
  let ranks = 0;
  for (let from = 0; from < all.length; ) {
    let to = from;
    while (to < all.length && all[to]![0] === all[from]![0]) to += 1;
    for (let i = from; i < to; i += 1) if (all[i]![1] === 1) ranks += (from + to + 1) / 2;
    from = to;
  }
  const n = speech.length;
  return (ranks - (n * (n + 1)) / 2) / (n * Math.max(1, other.length));
}
