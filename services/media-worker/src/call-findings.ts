import type { Cancel, Clock } from '@earshot/async';
import type { ToneMessage } from '@earshot/bridge-protocol';
import { digitOfGraphTone } from '@earshot/dtmf';
import type { MediaEventDraft, ToneDraft } from '@earshot/media-session';
import { hostToneEvent, ToneFolder } from '@earshot/media-session';
import type { CallJournal } from './call-journal.js';

export interface CallFindingsOptions {
  readonly callId: string;
  readonly mediaId: string;
  readonly journal: Pick<CallJournal, 'add'>;
  readonly clock: Clock;
}

/** The media host's reports are of one way. */
const HOST_WAY = 'host';

/** What one call's streams and its host report, made one account of the call, on the I/O thread. */
export class CallFindings {
  readonly #options: CallFindingsOptions;
  readonly #tones: ToneFolder;
  #hasNamed = false;
  #cancelTimer: Cancel | undefined;

  constructor(options: CallFindingsOptions) {
    this.#options = options;
    this.#tones = new ToneFolder({ tell: (draft) => options.journal.add(draft) });
  }

  /** Reports of tones that were folded into another's event. */
  get tonesFolded(): number {
    return this.#tones.folded;
  }

  /** Takes what a stream found. */
  add(event: MediaEventDraft, streamId: number): void {
    if (event.type === 'tone.detected') {
      this.#tone(event, event.sourceId ?? `mixed${streamId}`);
      return;
    }
    if (event.type === 'media.streamOpened' && event.sourceId !== null) this.#hasNamed = true;
    this.#options.journal.add(event);
  }

  /** Takes a tone that the media host was told of by the platform. */
  hostTone({ tone, sourceId }: ToneMessage, startMs: number): void {
    const digit = digitOfGraphTone(tone);
    if (digit === undefined) return;
    const { callId, mediaId } = this.#options;
    this.#tone(
      hostToneEvent({ callId, mediaId, sourceId: sourceId ?? null, digit, startMs }),
      HOST_WAY,
    );
  }

  /** Nothing follows: what waits is told. */
  end(): void {
    this.#cancelTimer?.();
    this.#tones.flush();
  }

  #tone(draft: ToneDraft, way: string): void {
    this.#tones.accept(draft, way, this.#options.clock.nowMs(), this.#hasNamed);
    this.#setTimer();
  }

  #setTimer(): void {
    const { deadlineMs } = this.#tones;
    if (deadlineMs === undefined || this.#cancelTimer !== undefined) return;
    const { clock } = this.#options;
    this.#cancelTimer = clock.at(deadlineMs, () => {
      this.#cancelTimer = undefined;
      this.#tones.advance(clock.nowMs());
      this.#setTimer();
    });
  }
}
