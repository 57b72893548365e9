// @ts-check
// Makes the sample meeting again: `node scripts/make-sample-meeting.mjs [folder]`, after a build.
// Needs flite, espeak-ng and sox (all in Debian); the same versions give the same bytes. What the
// meeting must be is tested in packages/opus/test/sample-meeting.test.ts.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { createOpusEngine, encodeFrames, writeOggOpus } from '../packages/opus/dist/index.js';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const FOLDER = process.argv[2] ?? path.join(ROOT, 'services', 'sandbox', 'meeting');
const RATE_HZ = 16_000;
const FRAME_MS = 20;
const FULL_SCALE = 32_768;
const TELEPHONE_BAND = ['sinc', '300-3400'];

/**
 * @typedef {{startMs: number, text: string}} Line a phrase to be told from other speech [in brackets]
 * @typedef {{atMs: number, frames: number}} Loss
 * @typedef {{startMs: number, endMs: number}} Span
 * @typedef {object} Part
 * @property {string} key
 * @property {string} displayName
 * @property {string} kind
 * @property {string} sourceId
 * @property {string[]} voice
 * @property {string[]} [effects]
 * @property {number} joinAtMs
 * @property {number} [leaveAtMs]
 * @property {Line[]} lines
 * @property {{startMs: number, digits: string[], toneMs: number, pauseMs: number}} [keys]
 * @property {Loss[]} losses frames that never reach the worker
 */

const NAME = 'review-call';
const DURATION_MS = 57_000;
/** @type {Part[]} */
const PARTS = [
  {
    key: 'ada',
    displayName: 'Ada Lovelace',
    kind: 'user',
    sourceId: '1001',
    voice: ['flite', '-voice', 'slt', '-o', '{wav}', '-t'],
    joinAtMs: 0,
    lines: [
      { startMs: 500, text: 'Good morning. Shall we start the review call?' },
      { startMs: 9200, text: 'Welcome, Grace. We also have a caller on the phone.' },
      { startMs: 24_900, text: 'Good. Please [start recording] now.' },
      { startMs: 41_300, text: 'Now [mute everyone], please.' },
      { startMs: 48_600, text: 'We all agree. [Stop recording].' },
      { startMs: 54_500, text: 'Goodbye. Let us go.' },
    ],
    losses: [{ atMs: 2000, frames: 1 }],
  },
  {
    key: 'alan',
    displayName: 'Alan Turing',
    kind: 'user',
    sourceId: '1002',
    voice: ['flite', '-voice', 'rms', '-o', '{wav}', '-t'],
    joinAtMs: 0,
    lines: [
      { startMs: 3700, text: 'Good morning, Ada. I have the notes open.' },
      { startMs: 15_700, text: 'Yes, please enter it on your keypad.' },
      { startMs: 22_850, text: 'I can begin with that one.' },
      { startMs: 27_700, text: '[Take a note]. The report was late again.' },
      { startMs: 33_400, text: 'The report was late. [Next item], please.' },
      { startMs: 39_350, text: 'I will [share the report].' },
      { startMs: 46_400, text: '[Raise your hand] if you agree.' },
      { startMs: 51_200, text: 'And [end the call] when you are ready.' },
    ],
    losses: [{ atMs: 16_700, frames: 3 }],
  },
  {
    key: 'grace',
    displayName: 'Grace Hopper',
    kind: 'user',
    sourceId: '1003',
    voice: ['espeak-ng', '-v', 'en-gb+f3', '-s', '165', '-w', '{wav}'],
    joinAtMs: 3000,
    lines: [
      { startMs: 6300, text: 'Hello everyone, sorry I am late.' },
      { startMs: 20_000, text: 'Thank you, that worked, so the first item is the report.' },
      { startMs: 31_400, text: 'Could you [repeat that], please?' },
      { startMs: 43_600, text: 'The records of the last call are in my note.' },
    ],
    losses: [{ atMs: 22_400, frames: 12 }],
  },
  {
    key: 'caller',
    displayName: 'Phone caller',
    kind: 'phone',
    sourceId: '1004',
    voice: ['flite', '-voice', 'awb', '-o', '{wav}', '-t'],
    effects: TELEPHONE_BAND,
    joinAtMs: 0,
    leaveAtMs: 55_000,
    lines: [
      { startMs: 12_800, text: 'Hello. It asks me for an access code.' },
      { startMs: 37_300, text: 'Please [call me back] after lunch.' },
      { startMs: 53_000, text: 'I have to go. Goodbye.' },
    ],
    // Not on a frame border: a phone knows nothing of our frames.
    keys: { startMs: 18_710, digits: ['1', '4', '7', '#', '9'], toneMs: 120, pauseMs: 120 },
    // Two frames of a pause, and one in the middle of the digit 7.
    losses: [
      { atMs: 8000, frames: 2 },
      { atMs: 19_240, frames: 1 },
    ],
  },
];

/** ITU-T Q.23. @type {Record<string, readonly [number, number]>} */
const TONES_HZ = {
  1: [697, 1209],
  4: [770, 1209],
  7: [852, 1209],
  9: [852, 1477],
  '#': [941, 1477],
};
const TONE_DBFS = -12;
const SPEECH_DBFS = -22;
const PEAK_DBFS = -4;
const ROOM_DBFS = -70;
const EDGE_MS = 2;

const WINDOW_MS = 10;
const SPEECH_FLOOR_DBFS = -45;
const MERGE_PAUSE_MS = 300;
const SHORTEST_SPEECH_MS = 60;

const wavFolder = mkdtempSync(path.join(tmpdir(), 'earshot-meeting-'));
try {
  await makeMeeting();
} finally {
  rmSync(wavFolder, { recursive: true });
}

async function makeMeeting() {
  mkdirSync(FOLDER, { recursive: true });
  const engine = await createOpusEngine();
  const participants = [];
  for (const [index, part] of PARTS.entries()) {
    const { speech, phrases } = speechTrack(part);
    const packets = encode(engine, withRoom(withTones(speech, part), part, index + 1));
    const file = await writeOggOpus({ packets, preSkip: 0, serialNumber: Number(part.sourceId) });
    writeFileSync(path.join(FOLDER, `${part.key}.opus`), file);
    participants.push(describe(part, findSpeech(speech, part.joinAtMs), phrases));
  }
  const meeting = { name: NAME, durationMs: DURATION_MS, participants };
  writeFileSync(path.join(FOLDER, 'meeting.json'), `${JSON.stringify(meeting, null, 2)}\n`);
}

/** @param {Part} part @param {Span[]} speech @param {(Span & {phrase: string})[]} phrases */
function describe(part, speech, phrases) {
  const { key, displayName, kind, sourceId, joinAtMs, leaveAtMs } = part;
  return {
    key,
    displayName,
    kind,
    sourceId,
    audio: `${key}.opus`,
    joinAtMs,
    ...(leaveAtMs === undefined ? {} : { leaveAtMs }),
    digits: keyPresses(part.keys),
    speech,
    phrases,
    missing: part.losses.map(({ atMs, frames }) => ({
      firstFrame: (atMs - joinAtMs) / FRAME_MS,
      frames,
    })),
  };
}

/** @param {Part['keys']} keys */
function keyPresses(keys) {
  if (keys === undefined) return [];
  const { digits, startMs, toneMs, pauseMs } = keys;
  return digits.map((digit, index) => ({
    digit,
    startMs: startMs + index * (toneMs + pauseMs),
    durationMs: toneMs,
  }));
}

/**
 * The part's voice alone, from joining to leaving, without noise; and the phrases in it, each with
 * the line in which it is spoken.
 * @param {Part} part
 */
function speechTrack(part) {
  const durationMs = (part.leaveAtMs ?? DURATION_MS) - part.joinAtMs;
  const speech = new Int16Array(toSamples(durationMs));
  const phrases = [];
  for (const { startMs, text } of part.lines) {
    const voice = atLevel(speak(part, text.replace(/[[\]]/g, '')));
    const start = toSamples(startMs - part.joinAtMs);
    if (start + voice.length > speech.length) throw new Error(`"${text}" is too long`);
    speech.set(voice, start);
    const phrase = /\[(.*)\]/.exec(text)?.[1]?.toLowerCase();
    const spoken = findSpeech(voice, startMs);
    const [first, last] = [spoken[0], spoken.at(-1)];
    if (phrase && first && last)
      phrases.push({ phrase, startMs: first.startMs, endMs: last.endMs });
  }
  return { speech, phrases };
}

/** @param {Part} part @param {string} text */
function speak({ voice, effects = [] }, text) {
  const wav = path.join(wavFolder, 'voice.wav');
  const [command = '', ...args] = voice.map((argument) => argument.replace('{wav}', wav));
  run(command, [...args, text]);
  const raw = ['-t', 'raw', '-e', 'signed', '-b', '16', '-c', '1', '-r', String(RATE_HZ), '-'];
  // -R and -D: no random numbers, no dither. -3 dB is room for the filters' overshoot.
  const bytes = run('sox', [
    '-R',
    '-D',
    wav,
    ...raw,
    'gain',
    '-3',
    'rate',
    `${RATE_HZ}`,
    ...effects,
  ]);
  return new Int16Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
}

/** @param {string} command @param {string[]} args */
function run(command, args) {
  const { error, status, stdout, stderr } = spawnSync(command, args, { maxBuffer: 1 << 26 });
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`${command}: ${stderr}`);
  return stdout;
}

/** Brings the voice (not its pauses) to the speech level. @param {Int16Array} pcm */
function atLevel(pcm) {
  const peak = pcm.reduce((max, sample) => Math.max(max, Math.abs(sample)), 0);
  const voiced = pcm.filter((sample) => Math.abs(sample) > peak / 50);
  const wanted = 10 ** (SPEECH_DBFS / 20) * FULL_SCALE;
  const limit = (10 ** (PEAK_DBFS / 20) * FULL_SCALE) / peak;
  const gain = Math.min(wanted / Math.sqrt(meanSquare(voiced)), limit);
  return pcm.map((sample) => Math.round(sample * gain));
}

/** @param {Int16Array} pcm @param {Part} part */
function withTones(pcm, { keys, joinAtMs }) {
  const sum = pcm.slice();
  for (const { digit, startMs, durationMs } of keyPresses(keys)) {
    const start = toSamples(startMs - joinAtMs);
    const tone = makeTone(digit, durationMs);
    if (sum.subarray(start, start + tone.length).some((sample) => Math.abs(sample) > 10)) {
      throw new Error(`digit ${digit} at ${startMs} ms is spoken over`);
    }
    sum.set(tone, start);
  }
  return sum;
}

/** @param {string} digit @param {number} durationMs */
function makeTone(digit, durationMs) {
  const [low, high] = TONES_HZ[digit] ?? [0, 0];
  // Two equal sines: each has half of the power, so its amplitude is the RMS of the sum.
  const amplitude = 10 ** (TONE_DBFS / 20) * FULL_SCALE;
  return Int16Array.from({ length: toSamples(durationMs) }, (_, i) => {
    const fromEdgeMs = Math.min((i * 1000) / RATE_HZ, durationMs - (i * 1000) / RATE_HZ);
    const edge = Math.min(1, fromEdgeMs / EDGE_MS);
    const angle = (2 * Math.PI * i) / RATE_HZ;
    return Math.round(edge * amplitude * (Math.sin(low * angle) + Math.sin(high * angle)));
  });
}

/**
 * A quiet room from the first word on, so that pauses aren't digital silence. Not before: libopus
 * finds a pause by its distance from the speech it knows, and would send the noise until then.
 * @param {Int16Array} pcm @param {Part} part @param {number} seed
 */
function withRoom(pcm, { lines, joinAtMs }, seed) {
  const first = toSamples((lines[0]?.startMs ?? 0) - joinAtMs);
  const range = Math.sqrt(12) * 10 ** (ROOM_DBFS / 20) * FULL_SCALE;
  let state = seed;
  return pcm.map((sample, index) => {
    if (index < first) return sample;
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.round(sample + range * (state / 2 ** 32 - 0.5));
  });
}

/** @param {import('../packages/opus/dist/index.js').OpusEngine} engine @param {Int16Array} pcm */
function encode(engine, pcm) {
  const options = /** @type {const} */ ({
    sampleRateHz: RATE_HZ,
    channels: 1,
    bitrateBps: 24_000,
    dtx: true,
    application: 'voip',
  });
  const { lookaheadSamples } = engine.createEncoderPool({ ...options, capacity: 1 });
  // Given early by its own delay, the encoder puts frame n of the sound into packet n.
  const early = new Int16Array(pcm.length);
  early.set(pcm.subarray(lookaheadSamples));
  return encodeFrames(engine, early, options);
}

/** Stretches of speech on the meeting's clock. @param {Int16Array} pcm @param {number} joinAtMs */
function findSpeech(pcm, joinAtMs) {
  /** @type {Span[]} */
  const spans = [];
  const window = toSamples(WINDOW_MS);
  for (let start = 0; start < pcm.length; start += window) {
    if (levelDbfs(pcm.subarray(start, start + window)) < SPEECH_FLOOR_DBFS) continue;
    const startMs = joinAtMs + (start / window) * WINDOW_MS;
    const last = spans.at(-1);
    if (last !== undefined && startMs - last.endMs < MERGE_PAUSE_MS)
      last.endMs = startMs + WINDOW_MS;
    else spans.push({ startMs, endMs: startMs + WINDOW_MS });
  }
  return spans.filter(({ startMs, endMs }) => endMs - startMs >= SHORTEST_SPEECH_MS);
}

/** @param {number} durationMs */
function toSamples(durationMs) {
  return (durationMs * RATE_HZ) / 1000;
}

/** @param {Int16Array} pcm */
function levelDbfs(pcm) {
  return 10 * Math.log10(meanSquare(pcm) / FULL_SCALE ** 2);
}

/** @param {Int16Array} pcm */
function meanSquare(pcm) {
  return pcm.reduce((sum, sample) => sum + sample * sample, 0) / pcm.length;
}
