/** What Graph's documents ask of a property of a request, beyond its type. */
export interface Limit {
  /** Must be given, although the metadata lets it be null. */
  readonly isRequired?: true;
  /** Fewest and most items of a list. */
  readonly items?: readonly [number, number];
  readonly minChars?: number;
  readonly maxChars?: number;
  /** Lowest and highest number. */
  readonly range?: readonly [number, number];
  /** The members of an enum that are taken here. */
  readonly oneOf?: readonly string[];
  /** An `https` address. */
  readonly isAddress?: true;
}

type Limits = Readonly<Record<string, Limit>>;

const ADDRESS: Limit = { isAddress: true };
const CONTEXT: Limit = { maxChars: 256 };
const ONE_OR_MORE = [1, Number.MAX_SAFE_INTEGER] as const;

/** By type (Graph: the page of the type, and application-post-calls for what a new call needs). */
export const TYPE_LIMITS: Readonly<Record<string, Limits>> = {
  call: {
    callbackUri: ADDRESS,
    mediaConfig: { isRequired: true },
    requestedModalities: { isRequired: true, items: ONE_OR_MORE },
    ringingTimeoutInSeconds: { range: [0, 115] },
  },
  appHostedMediaConfig: { blob: { isRequired: true, minChars: 1 } },
  mediaInfo: { uri: { minChars: 1 } },
  tokenMeetingInfo: { token: { minChars: 1 } },
  joinMeetingIdMeetingInfo: { joinMeetingId: { minChars: 1 } },
  teleconferenceDeviceQuality: { mediaQualityList: { items: ONE_OR_MORE } },
  teleconferenceDeviceMediaQuality: { channelIndex: { range: ONE_OR_MORE } },
};

/** By action (Graph: the page of the action). */
export const ACTION_LIMITS: Readonly<Record<string, Limits>> = {
  answer: {
    callbackUri: ADDRESS,
    acceptedModalities: { isRequired: true, items: ONE_OR_MORE },
    participantCapacity: { range: ONE_OR_MORE },
  },
  reject: { callbackUri: ADDRESS },
  redirect: { targets: { items: [1, 25] }, timeout: { range: [15, 90] }, callbackUri: ADDRESS },
  invite: { participants: { items: [1, 5] }, clientContext: CONTEXT },
  playPrompt: { prompts: { items: [1, 20] }, clientContext: CONTEXT },
  recordResponse: {
    prompts: { items: [0, 1] },
    initialSilenceTimeoutInSeconds: { range: [1, 120] },
    maxSilenceTimeoutInSeconds: { range: [1, 120] },
    maxRecordDurationInSeconds: { range: [1, 120] },
    clientContext: CONTEXT,
  },
  sendDtmfTones: {
    tones: { items: ONE_OR_MORE },
    delayBetweenTonesMs: { range: [0, 2 ** 31 - 1] },
    clientContext: CONTEXT,
  },
  updateRecordingStatus: {
    status: { oneOf: ['notRecording', 'recording', 'failed'] },
    clientContext: CONTEXT,
  },
  mute: { clientContext: CONTEXT },
  unmute: { clientContext: CONTEXT },
  subscribeToTone: { clientContext: CONTEXT },
  cancelMediaProcessing: { clientContext: CONTEXT },
  addLargeGalleryView: { clientContext: CONTEXT },
  startHoldMusic: { clientContext: CONTEXT },
  stopHoldMusic: { clientContext: CONTEXT },
};

/** The first limit that a value is beyond, as a rule; undefined for none. */
export function limitBroken(limit: Limit, value: unknown): string | undefined {
  if (value === undefined || value === null) return limit.isRequired ? 'must be given' : undefined;
  if (typeof value === 'string') return textLimitBroken(limit, value);
  if (typeof value === 'number' && limit.range !== undefined) {
    return isWithin(limit.range, value) ? undefined : `must be ${between(limit.range)}`;
  }
  if (Array.isArray(value) && limit.items !== undefined) {
    return isWithin(limit.items, value.length)
      ? undefined
      : `must have ${between(limit.items)} items`;
  }
  return undefined;
}

function textLimitBroken(limit: Limit, text: string): string | undefined {
  const { minChars = 0, maxChars = Number.MAX_SAFE_INTEGER, oneOf, isAddress } = limit;
  if (text.length < minChars) return 'must not be empty';
  if (text.length > maxChars) return `must have at most ${maxChars} characters`;
  if (oneOf !== undefined && !oneOf.some((one) => one.toLowerCase() === text.toLowerCase())) {
    return `must be one of ${oneOf.join(', ')}`;
  }
  return isAddress === true && !isCallbackAddress(text) ? 'must be an https address' : undefined;
}

/** Hosts that no one can reach from outside: names without a dot, private names and addresses. */
const INNER_HOST =
  /^(?:\[::1\]|127(?:\.\d+){3}|10(?:\.\d+){3}|192\.168(?:\.\d+){2}|172\.(?:1[6-9]|2\d|3[01])(?:\.\d+){2}|[a-z0-9-]+|[a-z0-9.-]+\.(?:internal|local|localhost|svc|test))$/i;
const ADDRESS_PARTS = /^(https?):\/\/([^\s/?#@]+?)(?::\d{1,5})?(?:[/?#]\S*)?$/i;

/** Graph calls only `https`; a sandbox may call inner hosts by `http`. */
function isCallbackAddress(text: string): boolean {
  const [, scheme = '', host = ''] = ADDRESS_PARTS.exec(text) ?? [];
  return scheme.toLowerCase() === 'https' || (scheme !== '' && INNER_HOST.test(host));
}

function isWithin([least, most]: readonly [number, number], value: number): boolean {
  return value >= least && value <= most;
}

function between([least, most]: readonly [number, number]): string {
  return most === Number.MAX_SAFE_INTEGER ? `${least} or more` : `${least} to ${most}`;
}
