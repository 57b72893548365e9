import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { debianPackages } from './debian-packages.js';

/** One recording at 8 kHz. */
export interface Recording {
  readonly name: string;
  readonly pcm: Int16Array;
}

export const RECORDING_RATE_HZ = 8000;

/** Debian's prompts for telephone exchanges, spoken by people, by language (CC BY-SA). */
export const LANGUAGES: readonly string[] = ['en', 'es', 'fr', 'it', 'ru'];

/**
 * Human speech in five languages, 2.1 hours; the first only when `quick`.
 *
 * @throws Error when it can't be had, such as offline.
 */
export async function readSpeech(quick: boolean): Promise<Recording[]> {
  const languages = quick ? LANGUAGES.slice(0, 1) : LANGUAGES;
  const recordings: Recording[] = [];
  for (const language of languages) {
    const root = await debianPackages([`asterisk-core-sounds-${language}-wav`]);
    recordings.push(...(await readWavFiles(root)));
  }
  return recordings;
}

/** Music, 0.3 hours. */
export async function readMusic(): Promise<Recording[]> {
  return readWavFiles(await debianPackages(['asterisk-moh-opsound-wav']));
}

async function readWavFiles(root: string): Promise<Recording[]> {
  const files = await readdir(root, { recursive: true });
  const names = files.filter((file) => file.endsWith('.wav') && !file.includes('silence')).sort();
  return Promise.all(
    names.map(async (name) => ({ name, pcm: samplesOf(await readFile(path.join(root, name))) })),
  );
}

/** The samples of a canonical WAV file of PCM16. */
function samplesOf(bytes: Buffer): Int16Array {
  const from = bytes.indexOf('data') + 8;
  return Int16Array.from({ length: (bytes.length - from) >> 1 }, (_, i) =>
    bytes.readInt16LE(from + 2 * i),
  );
}
