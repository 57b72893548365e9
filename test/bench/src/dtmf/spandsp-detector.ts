import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { debianPackages, libraryFolders } from './debian-packages.js';
import type { BenchDetector } from './our-detector.js';
import { STEP_MS } from './our-detector.js';
import { resample } from './resample.js';
import type { HeardDigit } from './score.js';

const RATE_HZ = 8000;

/** What `dtmf_rx_parms` sets: dB of twist, dB of reverse twist, dBm0. */
interface Tuning {
  readonly twistDb: number;
  readonly reverseTwistDb: number;
  readonly thresholdDbm0: number;
}

/** As far as spandsp lets itself be tuned to the cells. */
const TUNED: Tuning = { twistDb: 10, reverseTwistDb: 10, thresholdDbm0: -45 };

/**
 * spandsp's detector with its defaults and tuned, from Debian's libspandsp2, called in place.
 *
 * @throws Error when it can't be had or loaded.
 */
export async function spandspDetectors(): Promise<BenchDetector[]> {
  const root = await debianPackages(['libspandsp2']);
  const { default: koffi } = await import('koffi');
  const lib = koffi.load(await spandspFile(root));
  const Report = koffi.proto('void EarshotToneReport(void *user, int code, int level, int delay)');
  const init = lib.func('dtmf_rx_init', 'void *', ['void *', 'void *', 'void *']);
  const parms = lib.func('dtmf_rx_parms', 'void', ['void *', 'int', 'int', 'int', 'int']);
  const report = lib.func('dtmf_rx_set_realtime_callback', 'void', [
    'void *',
    koffi.pointer(Report),
    'void *',
  ]);
  const rx = lib.func('dtmf_rx', 'int', ['void *', 'int16_t *', 'int']);
  const free = lib.func('dtmf_rx_free', 'int', ['void *']);

  const create = (name: string, tuning: Tuning | undefined): BenchDetector => ({
    name,
    reports: 'within a tone',
    hear(pcm, sampleRateHz) {
      const narrow = resample(pcm, RATE_HZ / sampleRateHz);
      const heard: HeardDigit[] = [];
      let reportedMs = 0;
      const state: unknown = init(null, null, null);
      const callback = koffi.register((_: unknown, code: number) => {
        if (code > 0) heard.push({ digit: String.fromCharCode(code), reportedMs });
      }, koffi.pointer(Report));
      report(state, callback, null);
      if (tuning !== undefined) {
        parms(state, 0, tuning.twistDb, tuning.reverseTwistDb, tuning.thresholdDbm0);
      }
      const step = (RATE_HZ * STEP_MS) / 1000;
      for (let at = 0; at + step <= narrow.length; at += step) {
        reportedMs = ((at + step) * 1000) / RATE_HZ;
        rx(state, narrow.subarray(at, at + step), step);
      }
      free(state);
      koffi.unregister(callback);
      return heard;
    },
  });
  return [create('spandsp', undefined), create('spandsp tuned', TUNED)];
}

/** Where Debian's libspandsp lies in an unpacked package. */
export async function spandspFile(root: string): Promise<string> {
  for (const folder of await libraryFolders(root)) {
    const files = await readdir(folder).catch(() => []);
    const name = files.find((file) => file.startsWith('libspandsp.so.'));
    if (name !== undefined) return path.join(folder, name);
  }
  throw new Error('the package lacks libspandsp.so');
}
