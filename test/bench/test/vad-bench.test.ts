import { expect, it } from 'vitest';
import { score } from '../src/vad/score.js';

const SPEECH = Array.from({ length: 200 }, (_, n) => n >= 100 && n < 150);

function heard(speaking: readonly boolean[]) {
  const starts = speaking.flatMap((now, frame) =>
    now && speaking[frame - 1] !== true ? [{ frame, toldFrame: frame + 2 }] : [],
  );
  return { scores: speaking.map(Number), speaking, starts, modelShare: 1 };
}

it('scores what is right as right, and what is wrong as wrong', () => {
  const mix = { name: 'clean', pcm: new Int16Array(0), isSpeech: SPEECH };
  expect(score([{ mix, heard: heard(SPEECH) }])).toEqual({
    auc: 1,
    detectedPercent: 100,
    falsePercent: 0,
    onsetP50Ms: 0,
    onsetP90Ms: 0,
    toldP50Ms: 60,
    toldP90Ms: 60,
  });
  const opposite = SPEECH.map((isSpeech) => !isSpeech);
  expect(score([{ mix, heard: heard(opposite) }])).toMatchObject({
    auc: 0,
    detectedPercent: 0,
    falsePercent: 100,
  });
  const late = SPEECH.map((isSpeech, n) => isSpeech && n >= 103);
  expect(score([{ mix, heard: heard(late) }])).toMatchObject({
    detectedPercent: 94,
    onsetP50Ms: 60,
    toldP50Ms: 120,
  });
});

it('asks noise alone for false alarms only', () => {
  const isSpeech = new Array<boolean>(100).fill(false);
  const mix = { name: 'noise only', pcm: new Int16Array(0), isSpeech };
  const speaking = isSpeech.map((_, n) => n < 25);
  expect(score([{ mix, heard: heard(speaking) }])).toMatchObject({
    auc: null,
    detectedPercent: null,
    falsePercent: 25,
  });
});
