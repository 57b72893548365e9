import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { debianPackages } from '../dtmf/debian-packages.js';
import { LANGUAGES } from '../dtmf/recordings.js';
import { spandspFile } from '../dtmf/spandsp-detector.js';

const RATE_BITS = 64_000;
const SAMPLES_A_BYTE = 2;

/**
 * The prompts that Debian also has at 16 kHz, in G.722, decoded by its libspandsp2: human speech in five
 * languages; the first only when `quick`.
 *
 * @throws Error when they can't be had, such as offline.
 */
export async function readWideSpeech(quick: boolean): Promise<Int16Array[]> {
  const decode = await g722Decoder();
  const languages = quick ? LANGUAGES.slice(0, 1) : LANGUAGES;
  const recordings: Int16Array[] = [];
  for (const language of languages) {
    const root = await debianPackages([`asterisk-core-sounds-${language}-g722`]);
    const files = await readdir(root, { recursive: true });
    const names = files.filter((file) => file.endsWith('.g722') && !file.includes('silence'));
    for (const name of names.sort()) recordings.push(decode(await readFile(path.join(root, name))));
  }
  return recordings;
}

async function g722Decoder(): Promise<(bytes: Buffer) => Int16Array> {
  const root = await debianPackages(['libspandsp2']);
  const { default: koffi } = await import('koffi');
  const lib = koffi.load(await spandspFile(root));
  const init = lib.func('g722_decode_init', 'void *', ['void *', 'int', 'int']);
  const decode = lib.func('g722_decode', 'int', ['void *', 'int16_t *', 'void *', 'int']);
  const free = lib.func('g722_decode_free', 'int', ['void *']);
  return (bytes) => {
    const pcm = new Int16Array(bytes.length * SAMPLES_A_BYTE);
    const state: unknown = init(null, RATE_BITS, 0);
    const samples: number = decode(state, pcm, bytes, bytes.length);
    free(state);
    return pcm.subarray(0, samples);
  };
}
