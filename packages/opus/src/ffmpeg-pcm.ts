import { spawn } from 'node:child_process';
import { resolve } from 'node:path';

/** Why ffmpeg gave no sound: it is not there, or it said so. */
export type FfmpegFailure =
  | { readonly kind: 'missing' }
  | { readonly kind: 'failed'; readonly detail: string };

const MAX_DETAIL_LENGTH = 300;

/**
 * Runs ffmpeg from PATH on a local file and hands out PCM as it comes: 16-bit little-endian, mono.
 * Waits for nothing else: the file's length does not matter.
 *
 * @param onPcm the chunk is borrowed for the call; it may hold half a sample.
 * @returns undefined when all of the sound was handed out.
 */
export function ffmpegPcm(
  path: string,
  sampleRateHz: number,
  onPcm: (chunk: Uint8Array) => void,
): Promise<FfmpegFailure | undefined> {
  // `file:` keeps a name such as "concat:…" or "-x" from being anything but a name.
  const input = ['-nostdin', '-v', 'error', '-i', `file:${resolve(path)}`];
  const output = ['-vn', '-f', 's16le', '-ac', '1', '-ar', String(sampleRateHz), 'pipe:1'];
  return new Promise((done, reject) => {
    const child = spawn('ffmpeg', [...input, ...output], { stdio: ['ignore', 'pipe', 'pipe'] });
    let detail = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      detail = (detail + text).slice(-MAX_DETAIL_LENGTH);
    });
    child.stdout.on('data', (chunk: Uint8Array) => {
      try {
        onPcm(chunk);
      } catch (error) {
        child.kill();
        reject(error);
      }
    });
    child.once('error', (error: NodeJS.ErrnoException) => {
      done(
        error.code === 'ENOENT'
          ? { kind: 'missing' }
          : { kind: 'failed', detail: `ffmpeg did not start: ${error.message}` },
      );
    });
    child.once('close', (code) => {
      const lastLine = detail.trim().split('\n').at(-1) ?? '';
      done(code === 0 ? undefined : { kind: 'failed', detail: `ffmpeg says: ${lastLine}` });
    });
  });
}
