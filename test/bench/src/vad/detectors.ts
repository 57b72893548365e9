import type { SpeechTransition } from '@earshot/audio';
import { ADMIT, ConfirmedSpeech, rmsDbfs, SpeechActivity } from '@earshot/audio';
import type { SpeechModelStream } from '@earshot/speech-model';
import { createSpeechModel } from '@earshot/speech-model';
import { FRAME } from './sound.js';

/** A talkspurt, in frames: from where on it is, and in which it was told. */
export interface Start {
  readonly frame: number;
  readonly toldFrame: number;
}

/** By frame of 20 ms: a figure that is higher the likelier speech is, and whether a talkspurt covers it. */
export interface Heard {
  readonly scores: readonly number[];
  readonly speaking: readonly boolean[];
  readonly starts: readonly Start[];
  /** Share of the frames that the model heard. */
  readonly modelShare: number;
}

const model = createSpeechModel({ capacity: 1 });

/** Speech by level alone, as without a model. */
export function byLevel(pcm: Int16Array): Heard {
  const speech = new SpeechActivity();
  return hear(pcm, (frame, ms) => {
    const levelDbfs = rmsDbfs(frame, 0, FRAME);
    const transition = speech.step(ms, 20, levelDbfs, false);
    return { score: levelDbfs, isHeard: false, transition };
  });
}

/** As the pipeline does it: a gate, and the model behind it. */
export function twoStages(pcm: Int16Array): Heard {
  return withModel(pcm, (speech, levelDbfs, ms) => speech.hear(ms, 20, levelDbfs, false, true));
}

/** The model hears all. */
export function modelAlone(pcm: Int16Array): Heard {
  return withModel(pcm, (speech, levelDbfs, ms) => {
    speech.hear(ms, 20, levelDbfs, false, true);
    return ms === 0 ? ADMIT.opened : ADMIT.open;
  });
}

type Gate = (speech: ConfirmedSpeech, levelDbfs: number, ms: number) => number;

function withModel(pcm: Int16Array, gate: Gate): Heard {
  const stream: SpeechModelStream = model.acquire();
  const speech = new ConfirmedSpeech();
  const heard = hear(pcm, (frame, ms) => {
    const admit = gate(speech, rmsDbfs(frame, 0, FRAME), ms);
    if (admit === ADMIT.closed) {
      return { score: 0, isHeard: false, transition: speech.confirm(Number.NaN) };
    }
    if (admit === ADMIT.opened) stream.reset();
    stream.push(frame);
    model.run();
    const { probability } = stream;
    return { score: probability, isHeard: true, transition: speech.confirm(probability) };
  });
  stream.release();
  return heard;
}

export interface Step {
  readonly score: number;
  readonly isHeard: boolean;
  readonly transition: SpeechTransition | undefined;
}

/** @param step takes a frame that begins at `ms` */
export function hear(pcm: Int16Array, step: (frame: Int16Array, ms: number) => Step): Heard {
  const frames = Math.floor(pcm.length / FRAME);
  const scores: number[] = [];
  const starts: Start[] = [];
  const speaking = new Array<boolean>(frames).fill(false);
  let heard = 0;
  let open: number | undefined;
  for (let n = 0; n < frames; n += 1) {
    const { score, isHeard, transition } = step(pcm.subarray(n * FRAME, (n + 1) * FRAME), n * 20);
    scores.push(score);
    if (isHeard) heard += 1;
    if (transition === undefined) continue;
    const from = Math.round(transition.startMs / 20);
    if (transition.kind === 'started') {
      open = from;
      starts.push({ frame: from, toldFrame: n });
    } else {
      speaking.fill(true, from, Math.round(transition.endMs / 20));
      open = undefined;
    }
  }
  if (open !== undefined) speaking.fill(true, open);
  return { scores, speaking, starts, modelShare: heard / Math.max(1, frames) };
}
