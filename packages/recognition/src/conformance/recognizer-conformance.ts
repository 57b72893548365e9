import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { CodedError } from '@earshot/async';
import type { Recognizer, RecognizerTask } from '../recognizer.js';
import type { Listening, RecognizerUnderTest } from './heard.js';
import { durationMs, isUnderstood, listen, pushIn, settled } from './heard.js';

/** One rule of the port; `run` rejects where it is broken. */
export interface ConformanceCheck {
  readonly name: string;
  run(): Promise<void>;
}

/** 20 ms, as a stream comes. */
const FRAME_SAMPLES = 320;
const START_MS = 5000;
const LATER_MS = 65_000;
const GAP_MS = 2000;
/** How far times may lie outside of what was pushed. */
const TOLERANCE_MS = 250;
/** How long is waited for what must not come. */
const SILENCE_MS = 100;

/**
 * The rules that every `Recognizer` keeps, for a test runner:
 *
 * ```ts
 * it.each(recognizerConformance({ create, task, language, utterances }))('$name', ({ run }) => run());
 * ```
 */
export function recognizerConformance(given: RecognizerUnderTest): readonly ConformanceCheck[] {
  return CHECKS.filter(({ needsBreakable }) => !needsBreakable || given.createBreakable).map(
    ({ name, run }) => ({ name, run: () => run(given) }),
  );
}

interface Check {
  readonly name: string;
  readonly needsBreakable?: boolean;
  run(given: RecognizerUnderTest): Promise<void>;
}

const CHECKS: readonly Check[] = [
  { name: 'tells the same however the sound is cut', run: anyChunking },
  { name: 'tells results in order of media time, within what was pushed', run: inOrder },
  { name: 'names itself, and confidences and word times are in bounds', run: inBounds },
  { name: 'counts from the media time it is opened at', run: fromAnyTime },
  { name: 'counts a gap as time that passed', run: afterGap },
  {
    name: 'ends an utterance with all its results told and nothing left to do',
    run: endsUtterance,
  },
  { name: 'forgets on a restart what was not ended', run: restarts },
  { name: 'tells nothing of an utterance without sound', run: endsNothing },
  { name: 'tells nothing after close, which may be called again', run: closes },
  { name: 'ends its sessions when it is closed, and opens no more', run: closesAll },
  { name: 'refuses with a code what it does not do', run: refuses },
  { name: 'tells a failure once, and nothing after', needsBreakable: true, run: failsOnce },
];

async function anyChunking(given: RecognizerUnderTest): Promise<void> {
  const [pcm] = given.utterances;
  await using(given, async (recognizer) => {
    const whole = await hear(recognizer, given, START_MS, [pcm.length]);
    for (const sizes of [[FRAME_SAMPLES], [1, 777, 113]]) {
      assert.deepEqual(await hear(recognizer, given, START_MS, sizes), whole, `pieces of ${sizes}`);
    }
  });
}

async function inOrder(given: RecognizerUnderTest): Promise<void> {
  await using(given, async (recognizer) => {
    const heard = await listen(recognizer, given, START_MS);
    let startMs = START_MS;
    for (const pcm of given.utterances) {
      const before = heard.results.length;
      heard.session.restart(startMs);
      pushIn(heard.session, pcm, [FRAME_SAMPLES]);
      await heard.session.endUtterance();
      const told = heard.results.slice(before).filter(isUnderstood);
      assert.ok(told.length > 0, 'nothing was understood');
      for (const result of told) {
        assert.ok(result.startMs >= startMs - TOLERANCE_MS, 'begins before the sound');
        assert.ok(result.endMs >= result.startMs, 'ends before it begins');
        assert.ok(result.endMs <= startMs + durationMs(pcm) + TOLERANCE_MS, 'ends after the sound');
      }
      startMs += durationMs(pcm) + GAP_MS;
    }
    const begins = heard.results.filter(isUnderstood).map((result) => result.startMs);
    assert.deepEqual(
      begins,
      begins.toSorted((a, b) => a - b),
    );
    await quiet(heard);
  });
}

async function inBounds(given: RecognizerUnderTest): Promise<void> {
  await using(given, async (recognizer) => {
    const heard = await listen(recognizer, given, START_MS);
    pushIn(heard.session, given.utterances[0], [FRAME_SAMPLES]);
    await heard.session.endUtterance();
    for (const result of heard.results) {
      assert.notEqual(result.engine, '');
      assert.ok(isConfidence(result.confidence), `confidence ${result.confidence}`);
      for (const [index, word] of result.words.entries()) {
        assert.ok(isConfidence(word.confidence), `confidence ${word.confidence}`);
        assert.ok(word.startMs <= word.endMs, 'a word ends before it begins');
        const before = result.words[index - 1]?.startMs ?? Number.NEGATIVE_INFINITY;
        assert.ok(before <= word.startMs, 'words are not in order');
      }
    }
    await quiet(heard);
  });
}

async function fromAnyTime(given: RecognizerUnderTest): Promise<void> {
  await using(given, async (recognizer) => {
    const early = await hear(recognizer, given, START_MS, [FRAME_SAMPLES]);
    assert.deepEqual(await hear(recognizer, given, LATER_MS, [FRAME_SAMPLES]), early);
  });
}

async function afterGap(given: RecognizerUnderTest): Promise<void> {
  const [pcm, other] = given.utterances;
  await using(given, async (recognizer) => {
    const heard = await listen(recognizer, given, START_MS);
    pushIn(heard.session, pcm, [FRAME_SAMPLES]);
    await heard.session.endUtterance();
    const before = heard.results.length;
    heard.session.gap(GAP_MS);
    pushIn(heard.session, other, [FRAME_SAMPLES]);
    await heard.session.endUtterance();
    const fromMs = START_MS + durationMs(pcm) + GAP_MS;
    const told = heard.results.slice(before).filter(isUnderstood);
    assert.ok(told.length > 0, 'nothing was understood after the gap');
    for (const { endMs } of told) {
      assert.ok(endMs > fromMs, `ends at ${endMs} ms, before the sound from ${fromMs} ms on`);
    }
    await quiet(heard);
  });
}

async function endsUtterance(given: RecognizerUnderTest): Promise<void> {
  await using(given, async (recognizer) => {
    const heard = await listen(recognizer, given, START_MS);
    pushIn(heard.session, given.utterances[0], [FRAME_SAMPLES]);
    assert.ok(heard.session.backlogMs >= 0, 'a negative backlog');
    await heard.session.endUtterance();
    assert.equal(heard.session.backlogMs, 0);
    const told = heard.results.length;
    assert.ok(heard.results.some(isUnderstood), 'nothing was understood');
    await sleep(SILENCE_MS);
    assert.equal(heard.results.length, told, 'results after the end of the utterance');
    await quiet(heard);
  });
}

async function restarts(given: RecognizerUnderTest): Promise<void> {
  const [pcm, other] = given.utterances;
  await using(given, async (recognizer) => {
    const plain = await hear(recognizer, given, LATER_MS, [FRAME_SAMPLES]);
    const heard = await listen(recognizer, given, START_MS);
    pushIn(heard.session, other.subarray(0, other.length >> 1), [FRAME_SAMPLES]);
    heard.session.restart(LATER_MS);
    pushIn(heard.session, pcm, [FRAME_SAMPLES]);
    await heard.session.endUtterance();
    const after = heard.results.filter(({ startMs }) => startMs >= LATER_MS - TOLERANCE_MS);
    assert.deepEqual(settled(after, LATER_MS), plain);
    await quiet(heard);
  });
}

async function endsNothing(given: RecognizerUnderTest): Promise<void> {
  await using(given, async (recognizer) => {
    const heard = await listen(recognizer, given, START_MS);
    await heard.session.endUtterance();
    await heard.session.endUtterance();
    assert.deepEqual(heard.results.filter(isUnderstood), []);
    await quiet(heard);
  });
}

async function closes(given: RecognizerUnderTest): Promise<void> {
  await using(given, async (recognizer) => {
    const heard = await listen(recognizer, given, START_MS);
    pushIn(heard.session, given.utterances[0], [FRAME_SAMPLES]);
    const ending = heard.session.endUtterance();
    await heard.session.close();
    const told = heard.results.length;
    await Promise.all([ending, heard.session.close()]);
    heard.session.push(given.utterances[0]);
    heard.session.gap(GAP_MS);
    heard.session.restart(LATER_MS);
    await heard.session.endUtterance();
    await sleep(SILENCE_MS);
    assert.equal(heard.results.length, told, 'results after close');
    assert.deepEqual(heard.faults, []);
  });
}

async function closesAll(given: RecognizerUnderTest): Promise<void> {
  await using(given, async (recognizer) => {
    const heard = await listen(recognizer, given, START_MS);
    pushIn(heard.session, given.utterances[0], [FRAME_SAMPLES]);
    await recognizer.close();
    const told = heard.results.length;
    await heard.session.endUtterance();
    await heard.session.close();
    await recognizer.close();
    assert.equal(heard.results.length, told, 'results after close');
    assert.deepEqual(heard.faults, []);
    await assert.rejects(listen(recognizer, given, START_MS), isCoded);
  });
}

async function refuses(given: RecognizerUnderTest): Promise<void> {
  const tasks: readonly RecognizerTask[] = [
    { kind: 'phrases', phrases: ['yes'], jsgf: null },
    { kind: 'dictation', partials: false },
  ];
  await using(given, async (recognizer) => {
    const { capabilities } = recognizer;
    for (const task of tasks.filter(({ kind }) => !capabilities.tasks.includes(kind))) {
      const opened = listen(recognizer, { ...given, task }, START_MS);
      await assert.rejects(opened, { code: 'recognizer_refused' });
    }
    if (capabilities.languages === 'any') return;
    // Set aside for private use: nobody's.
    const opened = listen(recognizer, { ...given, language: 'qaa' }, START_MS);
    await assert.rejects(opened, { code: 'language_unsupported' });
  });
}

async function failsOnce({ createBreakable, ...given }: RecognizerUnderTest): Promise<void> {
  const { recognizer, break: breakIt } = await createBreakable!();
  try {
    const heard = await listen(recognizer, given, START_MS);
    await breakIt();
    pushIn(heard.session, given.utterances[0], [FRAME_SAMPLES]);
    await heard.session.endUtterance();
    assert.equal(heard.faults.length, 1, 'a failure is told once');
    assert.match(heard.faults[0]!.code, /^recognizer_[a-z_]+$/);
    const told = heard.results.length;
    heard.session.push(given.utterances[1]);
    await heard.session.endUtterance();
    await heard.session.close();
    assert.deepEqual([heard.faults.length, heard.results.length], [1, told]);
  } finally {
    await recognizer.close();
  }
}

/** What stands of the first utterance when it is heard at this time; not nothing. */
async function hear(
  recognizer: Recognizer,
  given: RecognizerUnderTest,
  startMs: number,
  sizes: readonly number[],
): Promise<unknown[]> {
  const heard = await listen(recognizer, given, startMs);
  pushIn(heard.session, given.utterances[0], sizes);
  await heard.session.endUtterance();
  assert.ok(heard.results.some(isUnderstood), 'nothing was understood');
  await quiet(heard);
  return settled(heard.results, startMs);
}

async function using(
  given: RecognizerUnderTest,
  use: (recognizer: Recognizer) => Promise<void>,
): Promise<void> {
  const recognizer = await given.create();
  try {
    await use(recognizer);
  } finally {
    await recognizer.close();
  }
}

/** Closes a session that must not have failed. */
async function quiet({ session, faults }: Listening): Promise<void> {
  await session.close();
  assert.deepEqual(faults, []);
}

function isConfidence(value: number | null): boolean {
  return value === null || (value >= 0 && value <= 1);
}

function isCoded(error: unknown): boolean {
  return error instanceof CodedError;
}
