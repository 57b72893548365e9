/** What a code of a problem says, wherever it comes from. */
export interface ProblemMeaning {
  readonly statuses: readonly number[];
  /** One sentence, for the API's documents. */
  readonly meaning: string;
}

/** Every `code` that a problem can have. Stable: programs tell failures apart by them. */
export const PROBLEM_CODES: Readonly<Record<string, ProblemMeaning>> = {
  // Any request.
  unauthorized: { statuses: [401], meaning: 'The request carries no API key that is known.' },
  missing_scope: { statuses: [403], meaning: 'The API key lacks the scope of the route.' },
  rate_limited: {
    statuses: [429],
    meaning:
      'The API key, or an address without one, asks more often than it may; wait for `Retry-After`.',
  },
  route_not_found: { statuses: [404], meaning: 'There is no such resource.' },
  invalid_request: {
    statuses: [400],
    meaning: 'Body, query or header are not what they must be; `detail` names the fields.',
  },
  invalid_cursor: { statuses: [400], meaning: '`cursor` is not one that a page gave.' },
  body_too_large: { statuses: [413], meaning: 'The body is larger than the route takes.' },
  unsupported_media_type: {
    statuses: [415],
    meaning: 'The body is of a type that the route does not take.',
  },
  idempotency_key_reused: {
    statuses: [422],
    meaning: 'The Idempotency-Key stands for a request with another body.',
  },
  request_in_progress: {
    statuses: [409],
    meaning: 'The first request with this Idempotency-Key is not answered yet.',
  },
  request_outcome_unknown: {
    statuses: [409],
    meaning:
      'The process that handled the first request with this Idempotency-Key ended before it had an answer.',
  },
  redis_unreachable: {
    statuses: [503],
    meaning: 'Redis is away; whether the step took effect is unknown.',
  },
  not_replicated: {
    statuses: [503],
    meaning: 'Too few replicas of Redis have what was written; it may last all the same.',
  },
  internal_error: {
    statuses: [500],
    meaning: 'A failure that the service does not know; its log tells more.',
  },
  // Join URLs.
  not_a_url: { statuses: [400], meaning: '`joinUrl` is no URL.' },
  not_a_teams_url: { statuses: [422], meaning: 'The URL is none of a Teams meeting.' },
  unsupported_host: { statuses: [422], meaning: 'The URL is of a host that is not one of Teams.' },
  consumer_meeting: {
    statuses: [422],
    meaning: 'Meetings of Teams for home cannot be joined by apps.',
  },
  not_a_meeting: { statuses: [422], meaning: 'The link is one of Teams, but of no meeting.' },
  malformed_meeting_id: { statuses: [422], meaning: '`meetingId` is no number of a meeting.' },
  malformed_join_url: { statuses: [422], meaning: 'The join URL lacks a part, or one is broken.' },
  missing_tenant: { statuses: [422], meaning: 'A short join URL came without `tenantId`.' },
  tenant_mismatch: { statuses: [422], meaning: '`tenantId` is not the tenant of the join URL.' },
  // The app's limits.
  too_many_calls: {
    statuses: [429],
    meaning:
      'The app has as many calls as it may have at once; `Retry-After` says when one may end.',
  },
  monthly_limit_reached: {
    statuses: [429],
    meaning: 'The app has made as many calls as it may in this month; `Retry-After` is its end.',
  },
  // Recording.
  not_policy_recording: {
    statuses: [409],
    meaning: 'Graph takes a recording status in policy-recording calls only.',
  },
  declaration_not_applicable: {
    statuses: [409],
    meaning: 'The recording of a policy-recording call is declared to Graph.',
  },
  // Media hosts.
  no_media_host: { statuses: [503], meaning: 'No media host has room for the call.' },
  host_unavailable: { statuses: [503], meaning: 'The media host went away.' },
  host_refused: { statuses: [502], meaning: 'The media host refused the call.' },
  start_timeout: {
    statuses: [504],
    meaning: 'The process that has the media host did not start the call in time.',
  },
  host_timeout: { statuses: [504], meaning: 'The media host did not answer in time.' },
  // Graph.
  graph_refused: {
    statuses: [400, 403, 404, 409, 422, 502],
    meaning:
      'Graph refused; with its status for requests about a call, 502 for a join. `resultCode` and `resultSubcode` are its own.',
  },
  graph_token_refused: { statuses: [502], meaning: 'Entra ID refused a token for the tenant.' },
  graph_token_unavailable: { statuses: [502], meaning: 'Entra ID could not be asked for a token.' },
  graph_throttled: {
    statuses: [429, 503],
    meaning: 'Graph is throttling; 503 for a join. Nothing happened: try again after Retry-After.',
  },
  graph_failed: {
    statuses: [502],
    meaning: 'Graph failed; the request may have been carried out.',
  },
  graph_timeout: {
    statuses: [504],
    meaning: 'Graph did not answer in time; the request may have been carried out.',
  },
  graph_unreachable: { statuses: [502], meaning: 'Graph could not be reached.' },
  graph_answer_unreadable: {
    statuses: [502],
    meaning: 'Graph answered something unreadable; the request may have been carried out.',
  },
  graph_request_invalid: {
    statuses: [400],
    meaning: 'Graph takes no such request; nothing was sent.',
  },
  // Calls.
  call_not_found: { statuses: [404], meaning: 'No call has this id.' },
  call_not_live: { statuses: [409], meaning: 'The call is not established, or has ended.' },
  participant_not_found: { statuses: [404], meaning: 'Nobody in the call has this id.' },
  operation_not_found: {
    statuses: [404],
    meaning: 'No operation of the call that is remembered has this id.',
  },
  too_many_operations: {
    statuses: [429],
    meaning: 'Too many operations of the call wait for Teams.',
  },
  needs_service_hosted_media: {
    statuses: [409],
    meaning:
      'Teams offers this only to calls whose media it hosts itself; those of Earshot are not.',
  },
  // Audio into the meeting.
  transcript_not_kept: {
    statuses: [404],
    meaning: 'Nothing is kept of what was said in the call, for the service keeps no transcripts.',
  },
  play_not_found: { statuses: [404], meaning: 'No play of the call has this id.' },
  host_cannot_play: {
    statuses: [409],
    meaning: "The call's media host does not offer the way back.",
  },
  too_large: { statuses: [413], meaning: 'The audio is larger than 10 MiB.' },
  invalid_audio: { statuses: [422], meaning: 'The audio cannot be read.' },
  too_many_plays: {
    statuses: [429],
    meaning: 'Too many plays wait, or too many are being posted.',
  },
  // Webhooks and live streams.
  webhook_not_found: { statuses: [404], meaning: 'No webhook has this id.' },
  delivery_not_found: { statuses: [404], meaning: 'No delivery of the webhook has this id.' },
  delivery_not_kept: {
    statuses: [409],
    meaning: 'What was delivered is of a type that is not kept to be sent again.',
  },
  delivery_pending: { statuses: [409], meaning: 'The delivery is still on its way.' },
  webhook_disabled: { statuses: [409], meaning: 'The webhook is off.' },
  too_many_webhooks: { statuses: [409], meaning: 'There are as many webhooks as there may be.' },
  invalid_webhook_url: { statuses: [422], meaning: 'Webhooks cannot be posted to this URL.' },
  address_not_allowed: { statuses: [422], meaning: "The URL's host is not public, nor allowed." },
  invalid_secret: {
    statuses: [422],
    meaning: 'The secret is not of the form that signatures need.',
  },
  too_many_event_streams: { statuses: [503], meaning: 'As many event streams are open as may be.' },
  // Callbacks.
  invalid_notification: { statuses: [400], meaning: 'The body is no `commsNotifications`.' },
  too_many_notifications: { statuses: [503], meaning: 'Too many notifications of the call wait.' },
  wrong_tenant: { statuses: [403], meaning: "The token is not of the call's tenant." },
  token_missing: { statuses: [401], meaning: 'The callback carries no token.' },
  token_key_unknown: {
    statuses: [401],
    meaning: 'The token is signed by a key that is not known.',
  },
  token_keys_unavailable: { statuses: [401], meaning: "The signers' keys cannot be fetched." },
  token_expired: { statuses: [401], meaning: 'The token is expired.' },
  token_invalid: { statuses: [401], meaning: 'The token is malformed or not signed with RS256.' },
  token_wrong_iss: { statuses: [403], meaning: 'The token is of another issuer.' },
  token_wrong_aud: { statuses: [403], meaning: 'The token is for another app.' },
  token_wrong_exp: { statuses: [403], meaning: 'The token does not say when it expires.' },
  token_wrong_nbf: { statuses: [403], meaning: 'The token is not valid yet.' },
  token_without_tenant: { statuses: [403], meaning: 'The token names no tenant.' },
};
