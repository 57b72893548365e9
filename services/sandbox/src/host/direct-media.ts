import type { Clock } from '@earshot/async';
import { CodedError } from '@earshot/async';
import type { Meeting } from '../meetings/meeting.js';
import { MeetingRun } from '../meetings/meeting-run.js';
import type { MediaHost } from './media-host.js';

export interface DirectMediaOptions {
  readonly host: MediaHost;
  readonly clock: Clock;
  readonly speed: number;
  /** A meeting by its name; the first one without. */
  findMeeting(name: string | undefined): Meeting | undefined;
}

/**
 * Meetings that are played to a media session without a Graph call: for tests of the bridge alone.
 * As many as the host has calls.
 */
export class DirectMedia {
  readonly #options: DirectMediaOptions;
  readonly #runs = new Set<MeetingRun>();

  constructor(options: DirectMediaOptions) {
    this.#options = options;
  }

  /**
   * Uses a blob as Graph would, and begins the meeting at once.
   *
   * @throws CodedError `meeting_not_found`; `blob_not_found` for one that is used, too old, or of
   * another host.
   */
  start(blob: string, meetingName: string | undefined): { mediaId: string; callId: string } {
    const { host, clock, speed, findMeeting } = this.#options;
    const meeting = findMeeting(meetingName);
    if (meeting === undefined) {
      throw new CodedError('meeting_not_found', 'Cannot start the audio: no such meeting', {
        fix: 'GET /sandbox/meetings names those there are.',
      });
    }
    const media = host.claim(blob, () => {
      if (media?.isEnded) stop();
      else run?.advance();
    });
    if (media === undefined) {
      throw new CodedError(
        'blob_not_found',
        'Cannot start the audio: the blob must be of this host, unused, and at most 5 minutes old',
      );
    }
    const run: MeetingRun = new MeetingRun({
      meeting,
      sink: media,
      clock,
      speed,
      hasRoom: () => media.hasRoom(),
      onRoster: () => {},
      onOver: () => {
        this.#runs.delete(run);
        media.end();
      },
    });
    const stop = (): void => {
      run.stop();
      this.#runs.delete(run);
    };
    this.#runs.add(run);
    media.begin();
    run.start();
    return { mediaId: media.mediaId, callId: media.callId };
  }

  /** Ends all of them at once. */
  close(): void {
    for (const run of this.#runs) run.stop();
    this.#runs.clear();
  }
}
