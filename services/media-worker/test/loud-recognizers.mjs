// Recognizers that understand loudness: what is loud is a word. They give the same for the same sound,
// and fail or take long when their name says so.
// What they do once they do where a folder is not there yet, which is named after them.

import { existsSync, mkdirSync } from 'node:fs';

const SAMPLES_PER_MS = 16;
const BLOCK_MS = 20;
const LOUD = 300;
const PARTIAL_MS = 500;

/**
 * @typedef {import('@earshot/recognition').Recognizer} Recognizer
 * @typedef {import('@earshot/recognition').RecognizerSession} Session
 * @typedef {import('@earshot/recognition').RecognizerSessionOptions} Options
 * @typedef {import('@earshot/recognition').RecognizerTask} Task
 */

/** Given to recognizer threads by their pool. */
export async function createRecognizers() {
  /** @type {Map<string, Recognizer>} */
  const made = new Map();
  return {
    /** @param {{ task: Task, engines: readonly string[] | null }} asked */
    recognizerFor({ task, engines }) {
      const name = engines?.[0] ?? 'loud';
      if (name === 'none') return undefined;
      const folder = engines?.[1];
      const key = `${name} ${task.kind} ${folder}`;
      if (!made.has(key)) made.set(key, recognizer(name, folder));
      return made.get(key);
    },
    async close() {},
  };
}

/**
 * @param {string} name
 * @param {string | undefined} folder
 * @returns {Recognizer}
 */
function recognizer(name, folder) {
  let opened = 0;
  return {
    name,
    capabilities: {
      tasks: ['phrases', 'dictation'],
      partials: true,
      wordTimes: true,
      confidence: true,
      languages: 'any',
      runs: 'local',
    },
    async open(options) {
      opened += 1;
      if (name === 'closed') throw new Error('nobody is there');
      return session(name, options, opened, folder);
    },
    async close() {},
  };
}

/**
 * @param {string} name
 * @param {Options} options
 * @param {number} ordinal
 * @param {string | undefined} folder
 * @returns {Session}
 */
function session(name, { task, language, startMs, onResult, onFault }, ordinal, folder) {
  let atMs = startMs;
  let loudMs = 0;
  let first = NaN;
  let last = NaN;
  let nextPartialMs = PARTIAL_MS;
  let isOver = false;

  /**
   * @template {'partial' | 'final' | 'phrase'} Kind
   * @param {Kind} kind
   */
  function result(kind) {
    const phrase = task.kind === 'phrases' ? task.phrases[0] : undefined;
    const text = phrase ?? `loud ${loudMs}`;
    const words = [{ text: 'loud', startMs: first, endMs: last, confidence: 0.9 }];
    const times = { startMs: first, endMs: last };
    return { kind, engine: name, text, ...times, words, confidence: 0.9, language };
  }

  return {
    backlogMs: 0,
    push(pcm) {
      if (name === 'dying') process.exit(1);
      if (name === 'dying-once' && isFirst(folder)) process.exit(1);
      if (name === 'hanging-once' && isFirst(folder)) for (;;);
      if (name === 'failing' || (name === 'faltering' && ordinal === 1)) {
        if (!isOver) onFault({ code: 'recognizer_protocol', message: 'test', retryable: true });
        isOver = true;
        return;
      }
      if (name === 'slow') burn(pcm.length / SAMPLES_PER_MS);
      for (let at = 0; at < pcm.length; at += BLOCK_MS * SAMPLES_PER_MS) {
        const block = pcm.subarray(at, at + BLOCK_MS * SAMPLES_PER_MS);
        if (block.some((sample) => Math.abs(sample) > LOUD)) {
          if (loudMs === 0) first = atMs;
          loudMs += BLOCK_MS;
          last = atMs + BLOCK_MS;
        }
        atMs += BLOCK_MS;
      }
      if (task.kind !== 'dictation' || !task.partials || loudMs < nextPartialMs) return;
      nextPartialMs += PARTIAL_MS;
      onResult(result('partial'));
    },
    gap(durationMs) {
      atMs += durationMs;
    },
    async endUtterance() {
      if (isOver || loudMs === 0) return;
      if (name === 'first-mute' && ordinal === 1) await new Promise(() => {});
      if (task.kind === 'phrases') onResult(result('phrase'));
      else onResult(result('final'));
      loudMs = 0;
    },
    restart(mediaTimeMs) {
      atMs = mediaTimeMs;
      loudMs = 0;
      nextPartialMs = PARTIAL_MS;
    },
    async close() {
      isOver = true;
    },
  };
}

/**
 * Whether no thread was there before: the folder is not there yet.
 *
 * @param {string | undefined} folder
 */
function isFirst(folder) {
  if (folder === undefined || existsSync(folder)) return false;
  mkdirSync(folder);
  return true;
}

/**
 * Takes a tenth of the time that the sound took.
 *
 * @param {number} ms
 */
function burn(ms) {
  const untilMs = performance.now() + ms / 10;
  while (performance.now() < untilMs);
}
