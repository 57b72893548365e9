import type { ResultInfo } from '@earshot/call';

/** How calls end by themselves (Graph: call-delete, and what bot developers saw). */
export const RESULTS: Readonly<
  Record<
    | 'allOthersLeft'
    | 'endedByBot'
    | 'removedByParticipant'
    | 'keepAliveTimeout'
    | 'notAdmitted'
    | 'noSuchMeeting'
    | 'invalidToken'
    | 'noMediaHost'
    | 'peerHungUp'
    | 'declined'
    | 'busy'
    | 'noAnswer'
    | 'offline'
    | 'transferred'
    | 'notAcknowledged'
    | 'notAnswered'
    | 'rejected'
    | 'redirected'
    | 'transferFailed',
    ResultInfo
  >
> = {
  allOthersLeft: {
    code: 200,
    subcode: 5002,
    message: 'All other participants have left the call.',
  },
  endedByBot: { code: 200, subcode: 7000, message: 'The call has been ended by the bot.' },
  removedByParticipant: {
    code: 200,
    subcode: 5000,
    message: 'The bot has been removed by a participant.',
  },
  keepAliveTimeout: {
    code: 408,
    subcode: 8537,
    message: 'Keep alive timeout: the call was not kept alive for 45 minutes.',
  },
  notAdmitted: { code: 200, subcode: 5855, message: 'Removed from the lobby after the timeout.' },
  noSuchMeeting: { code: 400, subcode: 8527, message: 'The meeting was not found.' },
  invalidToken: { code: 400, subcode: 8526, message: 'The join token is invalid.' },
  noMediaHost: {
    code: 500,
    subcode: 7112,
    message: 'MediaControllerConversationAddParticipantFailed: the blob leads to no media host.',
  },
  peerHungUp: { code: 200, subcode: 4521, message: 'The other party hung up.' },
  declined: { code: 603, subcode: 10_024, message: 'The callee declined the call.' },
  busy: { code: 486, subcode: 560_486, message: 'The callee is busy.' },
  noAnswer: { code: 480, subcode: 10_004, message: 'The callee did not answer.' },
  offline: { code: 480, subcode: 10_037, message: 'No callee endpoint was found.' },
  transferred: { code: 0, subcode: 7015, message: 'The call has been transferred.' },
  notAcknowledged: {
    code: 504,
    subcode: 8586,
    message: 'The incoming call notification was not acknowledged.',
  },
  notAnswered: {
    code: 504,
    subcode: 8587,
    message: 'The incoming call was not answered in time.',
  },
  rejected: { code: 603, subcode: 0, message: 'The call was rejected by the bot.' },
  redirected: { code: 302, subcode: 0, message: 'The call was redirected by the bot.' },
  transferFailed: { code: 500, subcode: 7000, message: 'The transfer failed.' },
};

/** A result as Graph writes it. */
export function resultBody({ code, subcode, message }: ResultInfo): Record<string, unknown> {
  return { '@odata.type': '#microsoft.graph.resultInfo', code, subcode, message: message ?? null };
}
