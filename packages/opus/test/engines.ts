import type { OpusEngineName } from '../src/index.js';
import { OPUS_ENGINES } from '../src/index.js';

/** Builds of the native engine that are part of the repository. */
const NATIVE_TARGETS = ['linux-x64'];

const hasNative = NATIVE_TARGETS.includes(`${process.platform}-${process.arch}`);

/** The engines that must work on this machine. */
export const ENGINES: readonly OpusEngineName[] = OPUS_ENGINES.filter(
  (name) => name !== 'native' || hasNative,
);
