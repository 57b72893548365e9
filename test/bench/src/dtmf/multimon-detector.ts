import { spawnSync } from 'node:child_process';
import path from 'node:path';
import process from 'node:process';
import { debianPackages, libraryFolders } from './debian-packages.js';
import type { BenchDetector } from './our-detector.js';
import { resample } from './resample.js';

const RATE_HZ = 22_050;

/**
 * Debian's multimon-ng, a process for each sound. It says no times.
 *
 * @throws Error when it can't be had or run.
 */
export async function multimonDetector(): Promise<BenchDetector> {
  const root = await debianPackages(['multimon-ng']);
  const program = path.join(root, 'usr', 'bin', 'multimon-ng');
  const inherited = process.env['LD_LIBRARY_PATH'];
  const folders = [...(await libraryFolders(root)), ...(inherited ? [inherited] : [])];
  const env = { ...process.env, LD_LIBRARY_PATH: folders.join(':') };
  const decode = (pcm: Int16Array): string => {
    const input = Buffer.from(pcm.buffer, pcm.byteOffset, pcm.byteLength);
    const args = ['-q', '-c', '-a', 'DTMF', '-t', 'raw', '-'];
    const { status, stdout, error } = spawnSync(program, args, { env, input });
    if (error !== undefined) throw error;
    if (status !== 0) throw new Error(`multimon-ng ended with ${status}`);
    return stdout.toString('latin1');
  };
  decode(new Int16Array(RATE_HZ / 10));
  return {
    name: 'multimon-ng',
    reports: 'unknown',
    hear(pcm, sampleRateHz) {
      const output = decode(resample(pcm, RATE_HZ / sampleRateHz));
      return [...output.matchAll(/^DTMF: (\S)/gm)].map((match) => ({ digit: match[1]! }));
    },
  };
}
