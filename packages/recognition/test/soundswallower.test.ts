import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { recognizerConformance } from '../src/conformance/index.js';
import type { Recognizer, RecognizerResult, RecognizerTask } from '../src/index.js';
import { createSoundSwallower } from '../src/index.js';
import { sampleSpeech, spanOf } from './support/sample-speech.js';

// What is said in the sample meeting between these times, ms from joining.
const ADA = { greeting: [400, 3500], welcome: [9100, 12_800] } as const;
const ALAN = {
  enter: [15_400, 18_500],
  open: [3500, 7000],
  note: [27_450, 30_640],
  end: [50_980, 53_680],
} as const;

let recognizer: Recognizer;
let ada: Int16Array;
let alan: Int16Array;

beforeAll(async () => {
  recognizer = createSoundSwallower({ maxDecoders: 1 });
  [ada, alan] = await Promise.all([sampleSpeech('ada'), sampleSpeech('alan')]);
});

afterAll(async () => {
  await recognizer.close();
});

describe('phrases', () => {
  it('are found in longer speech, as they were given, at their times', async () => {
    const phrases = ['Review Call!', 'start the review', 'call me back'];
    const [found, ...others] = await hear(phrases, spanOf(ada, ...ADA.greeting), 400);
    expect(others).toEqual([]);
    expect(found).toMatchObject({ kind: 'phrase', text: 'start the review', language: 'en-US' });
    expect(found!.confidence).toBeGreaterThan(0.5);
    expect(found!.words.map(({ text }) => text)).toEqual(['start', 'the', 'review']);
    // The sentence is spoken from 720 to 3140 ms.
    expect(found!.startMs).toBeGreaterThan(1700);
    expect(found!.endMs).toBeLessThan(3000);
  });

  it('that were not spoken are not found', async () => {
    const phrases = ['stop recording', 'call me back', 'take a note', 'mute everyone'];
    for (const sound of [
      spanOf(ada, ...ADA.greeting),
      spanOf(ada, ...ADA.welcome),
      spanOf(alan, ...ALAN.enter),
      spanOf(alan, ...ALAN.open),
    ]) {
      const sure = (await hear(phrases, sound)).filter(({ confidence }) => confidence! >= 0.5);
      expect(sure).toEqual([]);
    }
  });

  it('that share all but a word or two with what was said are not told', async () => {
    const near = async (phrases: readonly string[], sound: Int16Array) => {
      const found = await hear(phrases, sound);
      return found.filter(({ confidence }) => confidence! >= 0.5).map(({ text }) => text);
    };
    // Said is "start the review", "take a note" and "end the call".
    expect(
      await near(['stop the review', 'start the preview'], spanOf(ada, ...ADA.greeting)),
    ).toEqual([]);
    expect(await near(['take a vote', 'make a note'], spanOf(alan, ...ALAN.note))).toEqual([]);
    expect(await near(['end the hall'], spanOf(alan, ...ALAN.end))).toEqual([]);
  });

  it('of a grammar are found too', async () => {
    const task: RecognizerTask = {
      kind: 'phrases',
      phrases: [],
      jsgf: '#JSGF V1.0; grammar g; public <enter> = enter <what> [on your keypad]; <what> = it | this {tag};',
    };
    const found = await hear(task, spanOf(alan, ...ALAN.enter));
    expect(found.map(({ text }) => text)).toEqual(['enter it on your keypad']);
  });
});

describe('what cannot be listened for is told when opening', () => {
  const open = (task: Partial<RecognizerTask & { kind: 'phrases' }>, language = 'en-US') =>
    recognizer.open({
      ...options(() => {}),
      language,
      task: { kind: 'phrases', phrases: [], jsgf: null, ...task },
    });

  it.each([
    [
      'a word of no language',
      { phrases: ['yes', 'say qwxzk'] },
      'phrase_unpronounceable',
      /word 2 of phrase 2/,
    ],
    ['a phrase without words', { phrases: ['?!'] }, 'phrase_unpronounceable', /phrase 1/],
    ['no phrase at all', {}, 'recognizer_refused', /neither/],
    ['a grammar without a public rule', { jsgf: '<a> = yes;' }, 'phrase_grammar_invalid', /public/],
    [
      'a grammar that ends too early',
      { jsgf: 'public <a> = (yes;' },
      'phrase_grammar_invalid',
      /readable/,
    ],
    [
      'a word of a grammar',
      { jsgf: 'public <a> = yes | qwxzk;' },
      'phrase_unpronounceable',
      /word 2/,
    ],
  ])('%s', async (_, task, code, message) => {
    await expect(open(task)).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message),
    });
    await expect(open(task)).rejects.not.toThrow('qwxzk');
  });

  it('a language without a model', async () => {
    await expect(open({ phrases: ['ja'] }, 'de-DE')).rejects.toMatchObject({
      code: 'language_unsupported',
    });
  });

  it('dictation', async () => {
    const task = { kind: 'dictation', partials: false } as const;
    const opened = recognizer.open({ ...options(() => {}), task });
    await expect(opened).rejects.toMatchObject({ code: 'recognizer_refused' });
  });
});

it('French words that lose their vowel are looked up without the next one', async () => {
  const own = createSoundSwallower({ maxDecoders: 1 });
  const phrases = ['l\u2019heure', "qu'est-ce que c'est", "aujourd'hui", "je n'ai pas d'accord"];
  const task: RecognizerTask = { kind: 'phrases', phrases, jsgf: null };
  const session = await own.open({ ...options(() => {}), language: 'fr-FR', task });
  await session.close();
  await own.close();
});

it('a word that the dictionary lacks can be given a pronunciation', async () => {
  const own = createSoundSwallower({ pronunciations: { Qwxzk: 'K IY P AE D' } });
  const found = await hear(['qwxzk'], spanOf(alan, ...ALAN.enter), 0, own);
  expect(found.map(({ text }) => text)).toEqual(['qwxzk']);
  await own.close();
});

describe('keeps the rules of recognizers', () => {
  const checks = recognizerConformance({
    create: () => createSoundSwallower(),
    task: { kind: 'phrases', phrases: ['start the review', 'on your keypad'], jsgf: null },
    language: 'en-US',
    get utterances(): readonly [Int16Array, Int16Array] {
      return [spanOf(ada, ...ADA.greeting), spanOf(alan, ...ALAN.enter)];
    },
  });
  it.each(checks)('$name', ({ run }) => run());
});

async function hear(
  what: readonly string[] | RecognizerTask,
  pcm: Int16Array,
  startMs = 0,
  by = recognizer,
): Promise<readonly RecognizerResult[]> {
  const results: RecognizerResult[] = [];
  const task: RecognizerTask =
    'kind' in what ? what : { kind: 'phrases', phrases: what, jsgf: null };
  const session = await by.open({ ...options((result) => results.push(result)), task, startMs });
  session.push(pcm);
  await session.endUtterance();
  await session.close();
  return results;
}

function options(onResult: (result: RecognizerResult) => void) {
  return {
    language: 'en-US',
    startMs: 0,
    endpointMs: 500,
    onResult,
    onFault: () => expect.unreachable(),
  };
}
