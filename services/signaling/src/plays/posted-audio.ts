import type { AudioKind } from './normalise.js';

/** Largest body: 54 s of stereo PCM16 at 48 kHz, hours of Opus. */
export const MAX_BODY_BYTES: number = 10 * 1024 * 1024;

/** What can be posted, by media type; parameters such as `codecs=opus` do not matter. */
const KINDS: ReadonlyMap<string, AudioKind> = new Map([
  ['audio/ogg', 'ogg'],
  ['audio/opus', 'ogg'],
  ['audio/wav', 'wav'],
  ['audio/wave', 'wav'],
  ['audio/x-wav', 'wav'],
  ['audio/vnd.wave', 'wav'],
]);

/** Media types that can be posted. */
export const AUDIO_TYPES: readonly string[] = [...KINDS.keys()];

/** Which kind a `Content-Type` names; undefined for what cannot be played. */
export function audioKindOf(contentType: string | undefined): AudioKind | undefined {
  return KINDS.get((contentType ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '');
}
