import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { debianPackages } from '../dtmf/debian-packages.js';
import { readSpeech } from '../dtmf/recordings.js';

/** What a person speaks, at 8 kHz. */
export interface Prompt {
  readonly pcm: Int16Array;
  /** What is said, if in English; else ''. */
  readonly text: string;
}

export interface Prompts {
  readonly english: readonly Prompt[];
  readonly otherLanguages: readonly Prompt[];
}

const ENGLISH_PACKAGE = 'asterisk-core-sounds-en';
const NO_SPEECH = /beep|tone|ascending|descending|tt-monkeys|tt-weasels/;
const SHORTEST_SAMPLES = 800;

/**
 * Debian's prompts, but for those that thresholds were chosen on: half of them, by name.
 *
 * @throws Error when they can't be had, such as offline.
 */
export async function readHeldOutPrompts(): Promise<Prompts> {
  const texts = await readTexts();
  const english: Prompt[] = [];
  const otherLanguages: Prompt[] = [];
  for (const { name, pcm } of await readSpeech(false)) {
    const [, voice, prompt] = /\/sounds\/([^/]+)\/(.+)\.wav$/.exec(name) ?? [];
    if (voice === undefined || prompt === undefined) continue;
    if (!isHeldOut(prompt) || NO_SPEECH.test(prompt) || pcm.length < SHORTEST_SAMPLES) continue;
    if (!voice.startsWith('en')) otherLanguages.push({ pcm, text: '' });
    else if (texts.has(prompt)) english.push({ pcm, text: texts.get(prompt)! });
  }
  return { english, otherLanguages };
}

/** Whether figures are of a prompt; on the others thresholds may be chosen. FNV-1a of its name. */
export function isHeldOut(prompt: string): boolean {
  let hash = 0x81_1c_9d_c5;
  for (const byte of Buffer.from(prompt)) hash = Math.imul(hash ^ byte, 0x01_00_01_93) >>> 0;
  return ((hash >>> 16) & 1) === 1;
}

/** Evenly chosen, so that they last for about so long. */
export function sampleOf(prompts: readonly Prompt[], hours: number): readonly Prompt[] {
  const samples = prompts.reduce((sum, { pcm }) => sum + pcm.length, 0);
  const every = Math.max(1, Math.round(samples / (8000 * 3600 * hours)));
  return prompts.filter((_, index) => index % every === 0);
}

/** Lines of `name: text`, after `;` remarks. */
async function readTexts(): Promise<ReadonlyMap<string, string>> {
  const root = await debianPackages([ENGLISH_PACKAGE]);
  const names = await readdir(root, { recursive: true });
  const file = names.find((name) => /core-sounds-en\.txt(\.gz)?$/.test(name));
  if (file === undefined) throw new Error(`${ENGLISH_PACKAGE} must hold the texts, it does not`);
  const bytes = await readFile(path.join(root, file));
  const lines = (file.endsWith('.gz') ? await promisify(gunzip)(bytes) : bytes).toString('latin1');
  const texts = new Map<string, string>();
  for (const line of lines.split('\n')) {
    const [, name, text] = /^([^;:\s][^:]*):\s*(.+)$/.exec(line) ?? [];
    if (name !== undefined && text !== undefined) texts.set(name, text);
  }
  return texts;
}
