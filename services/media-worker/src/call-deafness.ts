import type { Clock } from '@earshot/async';
import { deafEvent, recoveredEvent } from '@earshot/media-session';
import type { CallJournal } from './call-journal.js';
import { DeafWatch } from './deaf-watch.js';
import type { WorkerLog } from './log.js';

export interface CallDeafnessOptions {
  readonly callId: string;
  readonly epoch: number;
  readonly journal: CallJournal;
  readonly clock: Clock;
  readonly log: WorkerLog;
  /** Nothing heard for so long makes a call deaf, if somebody could speak; 0: never. */
  readonly deafAfterMs: number;
  /** How many people in the call are not muted. */
  unmuted(): Promise<number | undefined>;
}

/** Watches whether a call is deaf, and tells of it by events. An attachment's end ends its episode. */
export function watchCall(options: CallDeafnessOptions): DeafWatch {
  const { callId, epoch, journal, log } = options;
  let ordinal = 0;
  return new DeafWatch({
    ...options,
    onDeaf: (reason, quietMs, unmutedParticipants) => {
      journal.add(deafEvent({ callId, epoch, ordinal }, { reason, quietMs, unmutedParticipants }));
      log.warn('call is deaf', { callId, reason, quietMs, unmutedParticipants });
    },
    onRecovered: (deafMs) => {
      journal.add(recoveredEvent({ callId, epoch, ordinal }, deafMs));
      ordinal += 1;
      log.info('call is heard again', { callId, deafMs });
    },
  });
}
