import { expect, it } from 'vitest';
import { PHRASE_LISTS, spokenOf } from '../src/phrases/phrase-lists.js';
import { PhraseScore } from '../src/phrases/phrase-score.js';
import { isHeldOut } from '../src/phrases/prompts.js';

it('knows what is spoken, and what sounds the same', () => {
  const { phrases, homophones } = spokenOf(
    'For sales, press 1. To go on: two-two!',
    PHRASE_LISTS.digits,
  );
  expect([...phrases].sort()).toEqual(['one', 'two', 'two']);
  expect([...homophones].sort()).toEqual(['four', 'two']);
});

it('counts what is right, wrong, missed and unsure', () => {
  const score = new PhraseScore(PHRASE_LISTS.commands, 0.5);
  const spoken = spokenOf('Thank you. Goodbye, goodbye.', PHRASE_LISTS.commands);
  score.add(1800, spoken, [
    { phrase: 'goodbye', confidence: 0.9 },
    { phrase: 'thank you', confidence: 0.3 },
    { phrase: 'next item', confidence: 1 },
    { phrase: 'next item', confidence: 0.2 },
  ]);
  const figures = score.figures();
  expect(figures).toMatchObject({
    spoken: 3,
    found: 1,
    falseAlarms: 1,
    falseAlarmsPerHour: 2,
    falseByPhrase: { 'next item': 1 },
  });
  expect(figures.confidences['below 7 phones']!.right).toEqual([0, 0, 0, 1, 0, 0, 0, 0, 0, 1]);
  expect(figures.confidences['7 to 9']!.wrong).toEqual([0, 0, 1, 0, 0, 0, 0, 0, 0, 1]);
});

it('lets an unsure result not take the place of one that was told', () => {
  const score = new PhraseScore(PHRASE_LISTS.commands, 0.5);
  score.add(1, spokenOf('Goodbye.', PHRASE_LISTS.commands), [
    { phrase: 'goodbye', confidence: 0.2 },
    { phrase: 'goodbye', confidence: 0.9 },
  ]);
  expect(score.figures()).toMatchObject({ spoken: 1, found: 1, falseAlarms: 0 });
});

it('takes what sounds the same for neither right nor wrong', () => {
  const score = new PhraseScore(PHRASE_LISTS.digits, 0.5);
  score.add(1, spokenOf('to', PHRASE_LISTS.digits), [{ phrase: 'two', confidence: 1 }]);
  expect(score.figures()).toMatchObject({ spoken: 0, found: 0, falseAlarms: 0 });
});

it('holds out about half of the prompts, always the same', () => {
  const names = Array.from({ length: 1000 }, (_, n) => `prompt-${n}`);
  const share = names.filter(isHeldOut).length / names.length;
  expect(share).toBeGreaterThan(0.4);
  expect(share).toBeLessThan(0.6);
  expect(names.filter(isHeldOut)).toEqual(names.filter(isHeldOut));
});
