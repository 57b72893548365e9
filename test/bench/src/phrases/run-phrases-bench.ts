import process from 'node:process';
import { createOpusEngine, DEFAULT_OPUS_ENGINE } from '@earshot/opus';
import type { Recognizer } from '@earshot/recognition';
import { createSoundSwallower } from '@earshot/recognition';
import { resample } from '../dtmf/resample.js';
import { OpusPath } from '../dtmf/through-opus.js';
import { say } from '../progress.js';
import { parseQuickOptions } from '../quick-options.js';
import { formatTable } from '../table.js';
import type { PhraseListName } from './phrase-lists.js';
import { PHRASE_LISTS, spokenOf } from './phrase-lists.js';
import type { PhraseFigures, ToldPhrase } from './phrase-score.js';
import { PhraseScore } from './phrase-score.js';
import type { Prompt } from './prompts.js';
import { readHeldOutPrompts, sampleOf } from './prompts.js';

/** The default of `listening.phrases.minConfidence`. */
const MIN_CONFIDENCE = 0.5;
const SAMPLE_RATE_HZ = 16_000;

/** What `npm run bench -- phrases` writes. */
export interface PhrasesResult {
  readonly minConfidence: number;
  /** By list, then by kind of speech. */
  readonly lists: Record<string, Record<string, PhraseFigures>>;
  /** CPU time by length of the speech, all in all. */
  readonly realTimeFactor: number;
}

interface Cell {
  readonly list: PhraseListName;
  readonly speech: 'english' | 'otherLanguages';
  /** About how much of it is heard, h. */
  readonly hours: number;
  readonly quickHours: number;
}

const CELLS: readonly Cell[] = [
  { list: 'commands', speech: 'english', hours: 1, quickHours: 0.012 },
  { list: 'commands', speech: 'otherLanguages', hours: 0.1, quickHours: 0.004 },
  { list: 'digits', speech: 'english', hours: 0.05, quickHours: 0.006 },
  { list: 'yesNo', speech: 'english', hours: 0.05, quickHours: 0.004 },
];

/** `npm run bench -- phrases …`: a table, then one line of JSON (`PhrasesResult`) on stdout. */
export async function runPhrasesBench(args: readonly string[]): Promise<void> {
  const { json, quick } = parseQuickOptions('phrases', args);
  const result = await measurePhrases(quick);
  if (!json) process.stdout.write(`${format(result)}\n`);
  const short = (_: string, value: unknown): unknown =>
    typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(4)) : value;
  process.stdout.write(`${JSON.stringify(result, short)}\n`);
}

async function measurePhrases(quick: boolean): Promise<PhrasesResult> {
  const prompts = await readHeldOutPrompts();
  const opus = new OpusPath(await createOpusEngine({ engine: DEFAULT_OPUS_ENGINE }));
  const recognizer = createSoundSwallower({ maxDecoders: 1 });
  const lists: Record<string, Record<string, PhraseFigures>> = {};
  let cpuS = 0;
  let speechS = 0;
  for (const cell of CELLS) {
    say(`listening: ${cell.list}, ${cell.speech}`);
    const chosen = sampleOf(prompts[cell.speech], quick ? cell.quickHours : cell.hours);
    const heard = await hearAll(recognizer, opus, cell.list, chosen);
    lists[cell.list] = { ...lists[cell.list], [cell.speech]: heard.figures };
    const { found, spoken, falseAlarms } = heard.figures;
    say(`found ${found} of ${spoken}, ${falseAlarms} false alarms`);
    cpuS += heard.cpuS;
    speechS += heard.figures.hours * 3600;
  }
  await recognizer.close();
  return { minConfidence: MIN_CONFIDENCE, lists, realTimeFactor: cpuS / speechS };
}

async function hearAll(
  recognizer: Recognizer,
  opus: OpusPath,
  name: PhraseListName,
  prompts: readonly Prompt[],
): Promise<{ readonly figures: PhraseFigures; readonly cpuS: number }> {
  const list = PHRASE_LISTS[name];
  const score = new PhraseScore(list, MIN_CONFIDENCE);
  let told: ToldPhrase[] = [];
  let fault: string | undefined;
  const session = await recognizer.open({
    task: { kind: 'phrases', phrases: Object.keys(list), jsgf: null },
    language: 'en-US',
    startMs: 0,
    endpointMs: 500,
    onResult: ({ text, confidence }) => told.push({ phrase: text, confidence: confidence ?? 0 }),
    onFault: ({ message }) => {
      fault = message;
    },
  });
  let cpuMicros = 0;
  for (const { pcm, text } of prompts) {
    const sound = opus.decode(opus.send(wholeFrames(resample(pcm, 2))));
    told = [];
    const before = process.cpuUsage();
    session.push(sound);
    await session.endUtterance();
    const { user, system } = process.cpuUsage(before);
    cpuMicros += user + system;
    if (fault !== undefined) throw new Error(fault);
    score.add(sound.length / SAMPLE_RATE_HZ, spokenOf(text, list), told);
  }
  await session.close();
  return { figures: score.figures(), cpuS: cpuMicros / 1e6 };
}

function wholeFrames(pcm: Int16Array): Int16Array {
  const whole = new Int16Array(Math.ceil(pcm.length / 320) * 320);
  whole.set(pcm);
  return whole;
}

function format({ lists, realTimeFactor }: PhrasesResult): string {
  const cells = Object.entries(lists).flatMap(([list, bySpeech]) =>
    Object.entries(bySpeech).map(([speech, figures]) => ({ name: `${list}, ${speech}`, figures })),
  );
  const table = formatTable([
    ['phrases, speech', 'hours', 'found', 'of', '%', 'false alarms', 'an hour'],
    ...cells.map(({ name, figures }) => [
      name,
      figures.hours.toFixed(2),
      String(figures.found),
      String(figures.spoken),
      figures.foundPercent?.toFixed(0) ?? '–',
      String(figures.falseAlarms),
      figures.falseAlarmsPerHour.toFixed(1),
    ]),
  ]);
  const histograms = formatTable([
    ['confidence from', ...Array.from({ length: 10 }, (_, bin) => (bin / 10).toFixed(1))],
    ...cells.flatMap(({ name, figures }) =>
      Object.entries(figures.confidences).flatMap(([length, { right, wrong }]) =>
        [...right, ...wrong].every((count) => count === 0)
          ? []
          : [
              [`${name}, ${length}: right`, ...right.map(String)],
              [`${name}, ${length}: wrong`, ...wrong.map(String)],
            ],
      ),
    ),
  ]);
  return `${table}\n${histograms}\nCPU by length of speech: ${realTimeFactor.toFixed(3)}\n`;
}
