export type { CallChange } from './call-change.js';
export type { CallModel, ChatInfo, Operation, OperationStatus } from './call-model.js';
export { initialCallModel, selfOf } from './call-model.js';
export type {
  CallData,
  CallNotification,
  ChangeType,
  OperationData,
  ParticipantData,
  ParticipantIdentity,
  ToneInfo,
} from './call-notification.js';
export type { CallState } from './call-state.js';
export { CALL_STATES, callStateOf, laterState } from './call-state.js';
export { classifyResult } from './classify-result.js';
export type { EndKind } from './end-kind.js';
export { END_KINDS, endKindOf, endKindOfClass } from './end-kind.js';
export { formatJoinUrl } from './format-join-url.js';
export { isGuid, isSameGuid, normalisedId } from './guid.js';
export type {
  BotData,
  BotDataUser,
  IncomingBody,
  IncomingCall,
  IncomingContext,
  IncomingScenario,
  IncomingSource,
} from './incoming-call.js';
export type {
  JoinTarget,
  MeetingIdTarget,
  MeetingTarget,
  OrganizerTarget,
  PhoneTarget,
  TokenTarget,
  UserRef,
  UsersTarget,
} from './join-target.js';
export { parseCallData, parseResultInfo } from './parse-call-data.js';
export { parseIncoming } from './parse-incoming.js';
export type { JoinUrlRefusal, JoinUrlRefusalCode, JoinUrlResult } from './parse-join-url.js';
export { parseJoinUrl } from './parse-join-url.js';
export type { MeetingIdResult, MeetingIdText } from './parse-meeting-id.js';
export { parseMeetingId } from './parse-meeting-id.js';
export type { NotificationsResult } from './parse-notifications.js';
export { holdsNotifications, parseNotifications } from './parse-notifications.js';
export { parseOperation } from './parse-operation.js';
export { parseParticipant } from './parse-participant.js';
export type { Participant, ParticipantKind } from './participant.js';
export { PARTICIPANT_KINDS } from './participant.js';
export type { Reduction } from './reduce-call.js';
export { reduceCall } from './reduce-call.js';
export type { ResultInfo } from './result-info.js';
export type { RetryClass } from './result-rows.js';
export type { ResultRow, Verdict } from './result-table.js';
export { RESULT_TABLE } from './result-table.js';
export type { RosterNumbers } from './roster-numbers.js';
export type { SourceOwner, SourceOwners, SourceSpan } from './source-owners.js';
export { ownerAt, withOwner } from './source-owners.js';
