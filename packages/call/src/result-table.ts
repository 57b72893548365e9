/**
 * What to do after a result: nothing went wrong; trying again is pointless; once more, on another
 * media host and so with a new blob; later, with growing pauses; not before next month.
 */
export type RetryClass = 'normal' | 'never' | 'onceOnAnotherHost' | 'backOff' | 'stopForMonth';

/** A result explained. */
export interface Verdict {
  readonly class: RetryClass;
  /** For people. */
  readonly sentence: string;
  /** What to do about it, where something can be done. */
  readonly fix?: string;
}

type Row = readonly [subcodes: readonly number[], sentence: string, fix?: string];

const MEDIA_PATH =
  "Check the media host's certificate, its public IP address and name, its TCP port and its UDP range, from outside.";
const CONSENT =
  "Have an administrator of the meeting's tenant consent to the app's calling permissions, and check the tenant id.";

/** Subcodes that Graph documents, or that bot developers reported. */
const NORMAL: readonly Row[] = [
  [[4097, 4521], 'The other party hung up.'],
  [[5001, 5003], 'The meeting was ended.'],
  [[5002], 'All others left the meeting.'],
  [[5007], 'The one who started the meeting left or ended it.'],
  [[5010], 'Only one participant remained.'],
  [[5012], 'Nobody was left in the meeting.'],
  [[5013], 'Nobody else ever joined the meeting.'],
  [[5014], 'The meeting had no host.', 'Join with allowConversationWithoutHost.'],
  [[5020], 'No visible participant was left.'],
  [[5030], 'The time of the breakout session was over.'],
  [[7000, 10550], 'The bot ended the call.'],
  [[7015], 'The call was transferred.'],
  [[18503], 'The other participant left.'],
  [[540000, 560000], 'The party on the phone hung up.'],
  [[8508], 'The media operation was cancelled.'],
  [[8509], 'Nobody spoke in time.'],
  [[8510], 'The speaker was silent for too long.'],
  [[8514], 'The stop tone was pressed.'],
  [[8515], 'The recording reached its longest duration.'],
  [[8528], 'The call had ended already.'],
  [[10003], 'The call was accepted elsewhere.'],
];

const NEVER: readonly Row[] = [
  [[5000, 5300], 'A participant removed the bot.', 'Do not rejoin unasked.'],
  [
    [5855],
    'Nobody let the bot in from the lobby.',
    'Ask the organiser to admit the bot, or to let it bypass the lobby.',
  ],
  [
    [2203],
    'Graph found the request bad and did not say why.',
    'Compare the request with one that works.',
  ],
  [
    [7500, 7501, 10009],
    "Teams did not accept the app's identity or token.",
    'Check the client id and secret, and that the token is for the right cloud.',
  ],
  [[7502], 'Access is not enabled for the app.', CONSENT],
  [
    [7503],
    'The app is not registered for calling.',
    "Enable calling on the Teams channel of the app's Azure Bot, with the same app id, and wait until that has spread.",
  ],
  [[7504], "The app lacks permissions in the meeting's tenant.", CONSENT],
  [
    [7505, 8517],
    "The token's tenant is not the meeting's.",
    'Use the tenant of the meeting (Tid in its join URL) for both.',
  ],
  [
    [7506],
    'Teams did not trust a certificate.',
    'Serve callbacks and media with the whole chain of a public certificate authority.',
  ],
  [
    [7507],
    'The identity of the source is not valid.',
    'Correct the source of the request, or leave it out.',
  ],
  [[8500], 'The operation does not go with how the media are hosted.'],
  [[8501], 'The call is not established.'],
  [[8502], "The bot's own participant id is missing."],
  [[8503], 'Audio is not active in the call.'],
  [
    [8506],
    'The operation is only for calls of a compliance recording policy.',
    'Do not use it in a meeting joined by its URL.',
  ],
  [[8511], 'The prompt could not be played.'],
  [[8512], 'The beep could not be played.'],
  [[8519], 'The operation is in conflict with another.', 'Wait until the other has completed.'],
  [[8520], 'The operation is not implemented.'],
  [[8522], 'Teams no longer knows the call.', 'Treat the call as ended.'],
  [
    [8523],
    'An argument of the request is not valid.',
    'Correct the request; the message names the argument.',
  ],
  [[8524], 'The participants do not go with compliance recording.'],
  [[8526], 'The token to join is not valid.', 'Ask for a new one.'],
  [[8527], 'The join URL leads to no meeting.', 'Copy the URL from the invitation again.'],
  [[8538, 10024], 'The call was declined.'],
  [[8548], 'The operation is only for group calls.'],
  [[8552], 'The organiser cannot be removed.'],
  [[8554], 'The participant is not in the audio mix.'],
  [[8556], 'The operation is not for compliance recording calls.'],
  [[8560], 'The meeting is locked.', 'Ask the organiser to unlock it.'],
  [[8561], 'The meeting number or its passcode is wrong.', 'Copy both from the invitation again.'],
  [[8566], 'Unmuting is not allowed.'],
  [
    [8586, 8587],
    'The bot did not answer the incoming call in time.',
    'Check that the webhook is reachable and answers at once.',
  ],
  [
    [8609, 8610],
    "The bot's answer to a notification was missing or not valid.",
    'Check that the webhook is reachable and answers 202.',
  ],
  [[10037], 'The callee is not signed in anywhere.'],
  [
    [10134],
    'The callee cannot be reached by a route.',
    'Check the numbers and policies of the callee.',
  ],
  [
    [10199],
    'A policy keeps the callee from private calls.',
    'Ask an administrator to change the policy.',
  ],
  [[510403], 'The call was blocked as spam.'],
];

const ONCE_ON_ANOTHER_HOST: readonly Row[] = [
  [[1004], 'Media could not be connected: no network path was found.', MEDIA_PATH],
  [[1005], 'Media between Teams and the media host failed.', MEDIA_PATH],
  [[1106], 'The media host did not acknowledge in time.', MEDIA_PATH],
  [[7106], 'The path of the media to the media host failed.', MEDIA_PATH],
  [[7112], "Teams could not talk to the media host's control port.", MEDIA_PATH],
  [[8513], 'No media came in time.', MEDIA_PATH],
  [[8544], 'The media host could not be reached.', MEDIA_PATH],
  [[301004], 'Media could not be set up.', MEDIA_PATH],
  [[301005], 'Media were cut during the call.', "Check the media host's network."],
  [[1203002, 1203003], 'Teams could not set up the media.', MEDIA_PATH],
];

const BACK_OFF: readonly Row[] = [
  [[8516], 'Teams is throttling calls.', 'Start fewer calls at a time.'],
  [
    [8530],
    'The app has as many calls as it may have at once.',
    'End calls, or ask Microsoft for a higher limit.',
  ],
  [
    [8537],
    'The call was not kept alive for 45 minutes.',
    'Check that keepAlive is sent every 15 minutes.',
  ],
  [[8539, 560486], 'The other side was busy.'],
  [[8541, 10076], 'The other side could not be reached.'],
  [[9001, 9002, 9003, 9998], 'Teams failed within.'],
  [
    [9999],
    'Teams failed for an unknown reason.',
    'Media operations of Graph, such as tone subscriptions, fail like this when the app hosts the media.',
  ],
  [[10004], 'Nobody answered.'],
  [[10057], 'The callee sent no sign.'],
  [[13025], 'Something was not answered in time; Microsoft does not document what.'],
];

const STOP_FOR_MONTH: readonly Row[] = [
  [
    [8529],
    'The app has made as many calls as it may make in a month.',
    'Wait for the next month, or ask Microsoft for a higher limit.',
  ],
];

/** Verdicts by subcode. */
export const BY_SUBCODE: ReadonlyMap<number, Verdict> = new Map([
  ...verdicts('normal', NORMAL),
  ...verdicts('never', NEVER),
  ...verdicts('onceOnAnotherHost', ONCE_ON_ANOTHER_HOST),
  ...verdicts('backOff', BACK_OFF),
  ...verdicts('stopForMonth', STOP_FOR_MONTH),
]);

/** Verdicts of subcodes whose meaning depends on the code beside, by `code/subcode`. */
export const BY_CODE_AND_SUBCODE: ReadonlyMap<string, Verdict> = new Map([
  [
    '500/7000',
    { class: 'never', sentence: 'The transfer failed; the call goes on.' } satisfies Verdict,
  ],
]);

function verdicts(retryClass: RetryClass, rows: readonly Row[]): [number, Verdict][] {
  return rows.flatMap(([subcodes, sentence, fix]) =>
    subcodes.map((subcode): [number, Verdict] => [
      subcode,
      { class: retryClass, sentence, ...(fix === undefined ? {} : { fix }) },
    ]),
  );
}
