import type { ServerResponse } from 'node:http';
import { createOpusEngine } from '@earshot/opus';
import type { AudioKind, PlayableAudio } from './normalise.js';
import { AudioNormaliser } from './normalise.js';

/** Bodies in memory at once: 40 MiB of them. */
const MAX_AT_ONCE = 4;

/** Where posted audio is taken in: a bounded number at a time, the rest is sent away. */
export class AudioDesk {
  #taken = 0;
  #normaliser: Promise<AudioNormaliser> | undefined;

  /** Takes a place until the response is over; false when all are taken, or it is over already. */
  enter(response: ServerResponse): boolean {
    if (this.#taken >= MAX_AT_ONCE || response.destroyed) return false;
    this.#taken += 1;
    // Also told when the connection broke.
    response.once('close', () => {
      this.#taken -= 1;
    });
    return true;
  }

  /** @throws CodedError `invalid_audio`. */
  async normalise(body: Uint8Array, kind: AudioKind): Promise<PlayableAudio> {
    // Most services never play: the codec is loaded when it is needed. A conversion whose request
    // was cut off goes on for a moment, so there is one of room.
    this.#normaliser ??= createOpusEngine().then(
      (engine) => new AudioNormaliser(engine, 2 * MAX_AT_ONCE),
    );
    return (await this.#normaliser).normalise(body, kind);
  }
}
