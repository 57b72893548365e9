import type { CallRef, MediaHosting } from './call-ref.js';
import { GraphError } from './graph-error.js';

/** An action of Graph on a call. */
export interface CallAction {
  readonly name: string;
  readonly boundTo: 'call' | 'participant' | 'Collection(participant)' | 'Collection(call)';
  /** Reads after "Cannot". */
  readonly words: string;
  /** Media that the call must have, and what to do instead. */
  readonly needs?: { readonly media: MediaHosting; readonly fix: string };
}

const FROM_HOST = 'Let the media host play it: it owns the audio of this call.';

type CallActionName =
  | 'keepAlive'
  | 'mute'
  | 'unmute'
  | 'playPrompt'
  | 'recordResponse'
  | 'cancelMediaProcessing'
  | 'subscribeToTone'
  | 'sendDtmfTones'
  | 'changeScreenSharingRole'
  | 'updateRecordingStatus'
  | 'answer'
  | 'reject'
  | 'redirect'
  | 'transfer'
  | 'addLargeGalleryView'
  | 'inviteParticipants'
  | 'muteParticipant'
  | 'startHoldMusic'
  | 'playHoldPrompt'
  | 'stopHoldMusic'
  | 'logTeleconferenceDeviceQuality';

/** The actions, by the method that asks for them (Graph: the page of each action). */
export const CALL_ACTIONS: Readonly<Record<CallActionName, CallAction>> = {
  keepAlive: { name: 'keepAlive', boundTo: 'call', words: 'keep the call alive' },
  mute: { name: 'mute', boundTo: 'call', words: 'mute' },
  unmute: { name: 'unmute', boundTo: 'call', words: 'unmute' },
  playPrompt: {
    name: 'playPrompt',
    boundTo: 'call',
    words: 'play a prompt',
    needs: { media: 'serviceHosted', fix: FROM_HOST },
  },
  recordResponse: {
    name: 'recordResponse',
    boundTo: 'call',
    words: 'record a response',
    needs: {
      media: 'serviceHosted',
      fix: 'Take the audio from the media host, if the recording gate allows it.',
    },
  },
  cancelMediaProcessing: {
    name: 'cancelMediaProcessing',
    boundTo: 'call',
    words: 'cancel media processing',
    needs: { media: 'serviceHosted', fix: 'There is nothing of Graph to cancel in this call.' },
  },
  subscribeToTone: {
    name: 'subscribeToTone',
    boundTo: 'call',
    words: 'subscribe to tones',
    needs: { media: 'serviceHosted', fix: 'Take tones from the media host and the detector.' },
  },
  sendDtmfTones: { name: 'sendDtmfTones', boundTo: 'call', words: 'send tones' },
  changeScreenSharingRole: {
    name: 'changeScreenSharingRole',
    boundTo: 'call',
    words: 'change the screen sharing role',
    needs: { media: 'appHosted', fix: 'Create the call with media of a media host.' },
  },
  updateRecordingStatus: {
    name: 'updateRecordingStatus',
    boundTo: 'call',
    words: 'update the recording status',
    needs: { media: 'appHosted', fix: 'Only calls of a recording policy have such a status.' },
  },
  answer: { name: 'answer', boundTo: 'call', words: 'answer the call' },
  reject: { name: 'reject', boundTo: 'call', words: 'reject the call' },
  redirect: { name: 'redirect', boundTo: 'call', words: 'redirect the call' },
  transfer: { name: 'transfer', boundTo: 'call', words: 'transfer the call' },
  addLargeGalleryView: {
    name: 'addLargeGalleryView',
    boundTo: 'call',
    words: 'add the large gallery view',
  },
  inviteParticipants: {
    name: 'invite',
    boundTo: 'Collection(participant)',
    words: 'invite participants',
  },
  muteParticipant: { name: 'mute', boundTo: 'participant', words: 'mute the participant' },
  startHoldMusic: { name: 'startHoldMusic', boundTo: 'participant', words: 'start hold music' },
  playHoldPrompt: {
    name: 'startHoldMusic',
    boundTo: 'participant',
    words: 'start hold music of our own',
    needs: { media: 'serviceHosted', fix: 'Leave the prompt out: Teams has music of its own.' },
  },
  stopHoldMusic: { name: 'stopHoldMusic', boundTo: 'participant', words: 'stop hold music' },
  logTeleconferenceDeviceQuality: {
    name: 'logTeleconferenceDeviceQuality',
    boundTo: 'Collection(call)',
    words: 'log the quality of a device',
  },
};

const CODES = {
  appHosted: 'needs_app_hosted_media',
  serviceHosted: 'needs_service_hosted_media',
} as const;
const NAMES = { appHosted: 'app-hosted', serviceHosted: 'service-hosted' } as const;

/** Throws when the call hasn't the media that Graph wants for this: nothing needs to be sent. */
export function assertMedia({ words, needs }: CallAction, { media }: CallRef): void {
  if (needs === undefined || needs.media === media) return;
  throw new GraphError(
    CODES[needs.media],
    `Cannot ${words}: the call must have ${NAMES[needs.media]} media, got ${NAMES[media]}`,
    {},
    { fix: needs.fix },
  );
}
