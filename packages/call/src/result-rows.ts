/**
 * What to do after a result: nothing went wrong; trying again is pointless; once more, on another
 * media host and so with a new blob; later, with growing pauses; not before next month.
 */
export type RetryClass = 'normal' | 'never' | 'onceOnAnotherHost' | 'backOff' | 'stopForMonth';

/** Results as `code/subcode`, or a subcode alone where no code beside it is known, with spaces. */
type Numbers = string;

/** What some results mean; see `ResultRow`. */
export type Meaning = readonly [
  results: Numbers,
  retryClass: RetryClass,
  sentence: string,
  fix?: string,
];

const MEDIA_PATH =
  "Check the media host's certificate, its public IP address and name, its TCP port and its UDP range, from outside.";
const CONSENT =
  "Have an administrator of the meeting's tenant consent to the app's calling permissions, and check the tenant id.";
const MEETINGS_TENANT = 'Use the tenant of the meeting (Tid in its join URL) for both.';
const WEBHOOK = 'Check that the webhook is reachable and answers at once.';

/** Ends of calls that Graph documents (call-delete). */
export const DOCUMENTED: readonly Meaning[] = [
  ['200/4097 200/4521', 'normal', 'The other party hung up.'],
  ['200/5000 200/5300', 'never', 'A participant removed the bot.', 'Do not rejoin unasked.'],
  ['200/5001 200/5003', 'normal', 'The meeting was ended.'],
  ['200/5002', 'normal', 'All others left the meeting.'],
  ['200/5007', 'normal', 'The one who started the meeting left or ended it.'],
  ['200/5010', 'normal', 'Only one participant remained.'],
  ['200/5012', 'normal', 'Nobody was left in the meeting.'],
  ['200/5013', 'normal', 'Nobody else ever joined the meeting.'],
  [
    '200/5014',
    'normal',
    'The meeting had no host.',
    'Join with allowConversationWithoutHost, or let a host stay.',
  ],
  ['200/5020', 'normal', 'No visible participant was left.'],
  ['200/5030', 'normal', 'The time of the breakout session was over.'],
  [
    '200/5855',
    'never',
    'Nobody let the bot in from the lobby.',
    'Ask the organiser to admit the bot, or to let it bypass the lobby.',
  ],
  ['200/7000 200/10550', 'normal', 'The bot ended the call.'],
  ['0/7015 200/7015', 'normal', 'The call was transferred.'],
  ['200/18503', 'normal', 'The other participant left.'],
  ['200/540000 200/560000', 'normal', 'The party on the phone hung up.'],
  [
    '408/8537',
    'backOff',
    'The call was not kept alive for 45 minutes.',
    'Check that keepAlive is sent every 15 minutes.',
  ],
  ['408/1106', 'onceOnAnotherHost', 'The media host did not acknowledge in time.', MEDIA_PATH],
  ['408/10057', 'backOff', 'The callee sent no sign.'],
  [
    '410/301005',
    'onceOnAnotherHost',
    'Media were cut during the call.',
    "Check the media host's network.",
  ],
  ['480/10037', 'never', 'The callee is not signed in anywhere.'],
  ['480/10076', 'backOff', 'The callee could not be reached.'],
  [
    '480/10134',
    'never',
    'The callee cannot be reached by a route.',
    'Check the numbers and policies of the callee.',
  ],
  [
    '480/10199',
    'never',
    'A policy keeps the callee from private calls.',
    'Ask an administrator to change the policy.',
  ],
  ['500/1005', 'onceOnAnotherHost', 'Media between Teams and the media host failed.', MEDIA_PATH],
];

/** Results that bot developers reported. */
export const SEEN: readonly Meaning[] = [
  [
    '403/7503',
    'never',
    'The app is not registered for calling.',
    "Enable calling on the Teams channel of the app's Azure Bot, with the same app id, and wait until that has spread.",
  ],
  ['403/7504', 'never', "The app lacks permissions in the meeting's tenant.", CONSENT],
  ['403/7505', 'never', "The token's tenant is not the meeting's.", MEETINGS_TENANT],
  [
    '7506',
    'never',
    'Teams did not trust a certificate.',
    'Serve callbacks and media with the whole chain of a public certificate authority.',
  ],
  [
    '7507',
    'never',
    'The identity of the source is not valid.',
    'Correct the source of the request, or leave it out.',
  ],
  [
    '400/2203',
    'never',
    'Graph found the request bad and did not say why.',
    'Compare the request with one that works.',
  ],
  [
    '500/7112',
    'onceOnAnotherHost',
    "Teams could not talk to the media host's control port.",
    MEDIA_PATH,
  ],
  ['500/7106', 'onceOnAnotherHost', 'The path of the media to the media host failed.', MEDIA_PATH],
  [
    '500/1203002 500/1203003',
    'onceOnAnotherHost',
    'Teams could not set up the media.',
    `${MEDIA_PATH} Update the host's media platform.`,
  ],
  [
    '500/1004',
    'onceOnAnotherHost',
    'Media could not be connected: no network path was found.',
    MEDIA_PATH,
  ],
  ['408/8544', 'onceOnAnotherHost', 'The media host could not be reached.', MEDIA_PATH],
  ['404/8522', 'never', 'Teams no longer knows the call.', 'Treat the call as ended.'],
  [
    '8506',
    'never',
    'The operation is only for calls of a compliance recording policy.',
    'Do not use it in a meeting joined by its URL.',
  ],
  [
    '500/9999',
    'backOff',
    'Teams failed for an unknown reason.',
    'Media operations of Graph, such as tone subscriptions, fail like this when the app hosts the media.',
  ],
  ['408/13025', 'backOff', 'Something was not answered in time; Microsoft does not document what.'],
  ['500/7000', 'never', 'The transfer failed; the call goes on.'],
  ['400/8508', 'normal', 'The media operation was cancelled.'],
  ['200/8515', 'normal', 'The recording reached its longest duration.'],
  ['200/8514', 'normal', 'The stop tone was pressed.'],
];

/** Subcodes of Azure's other calling services, which share the back end. */
export const FAMILY: readonly Meaning[] = [
  [
    '7500 7501 401/10009',
    'never',
    "Teams did not accept the app's identity or token.",
    'Check the client id and secret, and that the token is for the right cloud.',
  ],
  ['7502', 'never', 'Access is not enabled for the app.', CONSENT],
  ['8500', 'never', 'The operation does not go with how the media are hosted.'],
  ['8501', 'never', 'The call is not established.'],
  ['8502', 'never', "The bot's own participant id is missing."],
  ['8503', 'never', 'Audio is not active in the call.'],
  ['8509', 'normal', 'Nobody spoke in time.'],
  ['8510', 'normal', 'The speaker was silent for too long.'],
  ['8511', 'never', 'The prompt could not be played.'],
  ['8512', 'never', 'The beep could not be played.'],
  ['8513', 'onceOnAnotherHost', 'No media came in time.', MEDIA_PATH],
  ['8516', 'backOff', 'Teams is throttling calls.', 'Start fewer calls at a time.'],
  ['8517', 'never', "The token's tenant is not the meeting's.", MEETINGS_TENANT],
  [
    '409/8519',
    'never',
    'The operation is in conflict with another.',
    'Wait until the other has completed.',
  ],
  ['8520', 'never', 'The operation is not implemented.'],
  [
    '8523',
    'never',
    'An argument of the request is not valid.',
    'Correct the request; the message names the argument.',
  ],
  ['8524', 'never', 'The participants do not go with compliance recording.'],
  ['8526', 'never', 'The token to join is not valid.', 'Ask for a new one.'],
  ['8527', 'never', 'The join URL leads to no meeting.', 'Copy the URL from the invitation again.'],
  ['8528', 'normal', 'The call had ended already.'],
  [
    '8529',
    'stopForMonth',
    'The app has made as many calls as it may make in a month.',
    'Wait for the next month, or ask Microsoft for a higher limit.',
  ],
  [
    '8530',
    'backOff',
    'The app has as many calls as it may have at once.',
    'End calls, or ask Microsoft for a higher limit.',
  ],
  ['8538 10024', 'never', 'The call was declined.'],
  ['8539 560486', 'backOff', 'The other side was busy.'],
  ['8541', 'backOff', 'The other side could not be reached.'],
  ['8548', 'never', 'The operation is only for group calls.'],
  ['8552', 'never', 'The organiser cannot be removed.'],
  ['8554', 'never', 'The participant is not in the audio mix.'],
  ['8556', 'never', 'The operation is not for compliance recording calls.'],
  ['8560', 'never', 'The meeting is locked.', 'Ask the organiser to unlock it.'],
  [
    '8561',
    'never',
    'The meeting number or its passcode is wrong.',
    'Copy both from the invitation again.',
  ],
  ['8566', 'never', 'Unmuting is not allowed.'],
  ['8586 8587', 'never', 'The bot did not answer the incoming call in time.', WEBHOOK],
  [
    '8609 8610',
    'never',
    "The bot's answer to a notification was missing or not valid.",
    'Check that the webhook is reachable and answers 202.',
  ],
  ['9001 9002 9003 9998', 'backOff', 'Teams failed within.'],
  ['10003', 'normal', 'The call was accepted elsewhere.'],
  ['10004', 'backOff', 'Nobody answered.'],
  ['301004', 'onceOnAnotherHost', 'Media could not be set up.', MEDIA_PATH],
  ['510403', 'never', 'The call was blocked as spam.'],
];

const REGISTRATION =
  "Check the app's registration, its permissions and their consent in the meeting's tenant.";

/** Results without a subcode that is known: the code is like a status of HTTP or SIP. */
export const STATUSES: readonly Meaning[] = [
  ['400/0', 'never', 'Graph found the request bad.', 'Compare the request with one that works.'],
  ['401/0', 'never', "Graph did not accept the app's token.", REGISTRATION],
  ['403/0', 'never', 'Teams refused the app.', REGISTRATION],
  ['404/0', 'never', 'Teams knows no such call.'],
  ['408/0', 'backOff', 'Something was not answered in time.'],
  ['409/0', 'never', 'The request is in conflict with another.'],
  ['429/0', 'backOff', 'Teams is throttling calls.', 'Start fewer calls at a time.'],
  ['480/0', 'backOff', 'The other side could not be reached.'],
  ['486/0', 'backOff', 'The other side was busy.'],
  ['500/0', 'backOff', 'Teams failed and did not say why.'],
  ['501/0', 'never', 'The operation is not implemented.'],
  ['502/0', 'backOff', 'A gateway of Graph failed.'],
  ['503/0', 'backOff', 'Graph is not available.'],
  ['504/0', 'backOff', 'A gateway of Graph waited too long.'],
];
