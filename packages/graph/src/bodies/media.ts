import type { Json } from './json.js';
import { typed } from './json.js';

/** An audio file that Graph fetches: WAV, mono, 16 kHz, 16 bit. */
export interface MediaInfo {
  readonly uri: string;
  /** Names the file in Graph's cache; a GUID. */
  readonly resourceId?: string;
}

/** Who has the media of a new call, and what that takes. */
export type CallMedia =
  | {
      readonly kind: 'appHosted';
      /** Opaque media configuration from the media host; a secret, for one call. */
      readonly blob: string;
    }
  | {
      readonly kind: 'serviceHosted';
      /** Fetched before they are first played. */
      readonly preFetchMedia?: readonly MediaInfo[];
    };

/** What is sent and received (Graph: `modality`). */
export type Modality = 'audio' | 'video' | 'videoBasedScreenSharing' | 'data';

/** All false unless given (Graph: `callOptions`). */
export interface CallOptions {
  /** Hides the bot once a call of two becomes a group call. */
  readonly hideBotAfterEscalation?: boolean;
  /** Notifications tell of content sharing. */
  readonly isContentSharingNotificationEnabled?: boolean;
  /** Rosters carry only what changed. */
  readonly isDeltaRosterEnabled?: boolean;
  /** Delta rosters carry only those who interact. */
  readonly isInteractiveRosterEnabled?: boolean;
}

export function mediaConfig(media: CallMedia): Json {
  return media.kind === 'appHosted'
    ? typed('appHostedMediaConfig', { blob: media.blob })
    : typed('serviceHostedMediaConfig', { preFetchMedia: media.preFetchMedia?.map(mediaInfo) });
}

export function mediaPrompt(media: MediaInfo): Json {
  return typed('mediaPrompt', { mediaInfo: mediaInfo(media) });
}

function mediaInfo({ uri, resourceId }: MediaInfo): Json {
  return typed('mediaInfo', { uri, resourceId });
}
