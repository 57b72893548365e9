import { randomUUID } from 'node:crypto';
import type { Clock } from '@earshot/async';
import { CodedError, delay } from '@earshot/async';
import { normalisedId } from '@earshot/call';
import type { Log } from '@earshot/telemetry';
import { z } from 'zod';
import { bodyOf } from '../graph/action-bodies.js';
import type { AppIdentity } from '../graph/app-tokens.js';
import type { CallDesk } from '../graph/call-desk.js';
import { requireCreation, requireMethod } from '../graph/call-permissions.js';
import type { CallRequest } from '../graph/call-request.js';
import { mediaOf } from '../graph/call-request.js';
import { RESULTS, resultBody } from '../graph/call-results.js';
import type { CallTarget } from '../graph/call-target.js';
import type { CallbackSigner } from '../graph/callback-signer.js';
import {
  callNotFound,
  conflictingOperation,
  invalidArgument,
  tenantMismatch,
} from '../graph/graph-fault.js';
import { requireAction } from '../graph/metadata-check.js';
import type { Meeting } from '../meetings/meeting.js';
import type { MeetingBook } from '../meetings/meeting-book.js';
import { endBody, incomingBody, legacyBody } from './incoming-bodies.js';
import { RecordedGroup } from './recorded-group.js';
import type { RecordedParty, RingRequest } from './ring-request.js';
import type { RingingCall, RingingState, RingingSummary } from './ringing-call.js';
import { summaryOfRinging } from './ringing-call.js';
import { Webhook } from './webhook.js';

/** How long the bot has to act on a call. */
const ANSWER_WITHIN_MS = 15_000;
const ANSWER_POLICY_RECORDING_WITHIN_MS = 5_000;
const RING_AGAIN_MS = 500;
/** Calls remembered; the oldest go first. */
const MAX_CALLS = 1_000;
const MAX_REDIRECTS = 2;

const INCOMING_ACTIONS = ['answer', 'reject', 'redirect'] as const;

/** What a bot can do with a call that rings. */
export type IncomingAction = (typeof INCOMING_ACTIONS)[number];

export function isIncomingAction(name: string): name is IncomingAction {
  return INCOMING_ACTIONS.some((action) => action === name);
}

const answerBody = z.looseObject({
  callbackUri: z.string().min(1),
  mediaConfig: z.looseObject({ '@odata.type': z.string(), blob: z.string().nullish() }),
  acceptedModalities: z.array(z.string()).min(1),
  participantCapacity: z.int().min(1).nullish(),
});

export interface IncomingDeskOptions {
  readonly desk: CallDesk;
  readonly meetings: MeetingBook;
  readonly signer: CallbackSigner;
  readonly clock: Clock;
  readonly log: Log;
  readonly clientId: string;
  readonly tenantId: string;
}

/** Calls that ring the bot: told at its webhook, answered or not, and set up when they are. */
export class IncomingDesk {
  readonly #options: IncomingDeskOptions;
  readonly #calls = new Map<string, RingingCall>();
  readonly #groups = new Set<RecordedGroup>();
  readonly #requests = new Map<string, RingRequest>();
  readonly #closing = new AbortController();
  readonly #webhook: Webhook;

  constructor(options: IncomingDeskOptions) {
    this.#options = options;
    this.#webhook = new Webhook({ ...options, signal: this.#closing.signal });
  }

  /** @throws CodedError `meeting_not_found` */
  ring(request: RingRequest): RingingSummary {
    const meeting = this.#meetingOf(request);
    const call = this.#newCall(request, meeting);
    if (this.#calls.size >= MAX_CALLS) this.#forgetOldest();
    this.#calls.set(normalisedId(call.id), call);
    this.#requests.set(call.id, request);
    void this.#tell(call, meeting, request.legacyFirst);
    return summaryOfRinging(call);
  }

  summaries(): RingingSummary[] {
    return [...this.#calls.values()].map(summaryOfRinging);
  }

  find(id: string): RingingSummary | undefined {
    const call = this.#calls.get(normalisedId(id));
    return call === undefined ? undefined : summaryOfRinging(call);
  }

  /**
   * Does with a ringing call what the bot asks for.
   *
   * @throws GraphFault
   */
  perform(action: IncomingAction, id: string, body: unknown, app: AppIdentity): void {
    const call = this.#calls.get(normalisedId(id));
    if (call === undefined) throw callNotFound();
    if (call.tenantId !== app.tenantId) throw tenantMismatch();
    requireMethod(app.roles, action);
    requireAction('call', action, body);
    if (call.state === 'answered') throw conflictingOperation('the call was answered, and so it');
    if (call.state !== 'ringing') throw callNotFound();
    if (action === 'answer') this.#answer(call, body, app);
    else if (action === 'reject') {
      call.reason = String(Object(body)['reason'] ?? 'none');
      this.#end(call, 'rejected');
    } else this.#end(call, 'redirected');
  }

  /** Nothing rings any more; bots are not told. */
  close(): void {
    this.#closing.abort();
    for (const call of this.#calls.values()) call.cancelDeadline();
    for (const group of this.#groups) group.close();
  }

  #meetingOf({ meeting: name }: RingRequest): Meeting {
    const meeting = this.#options.meetings.findByName(name);
    if (meeting !== undefined) return meeting;
    throw new CodedError(
      'meeting_not_found',
      'Cannot ring: the meeting must be one of GET /sandbox/meetings, got another',
    );
  }

  #newCall({ kind, webhook, callerName, region }: RingRequest, meeting: Meeting): RingingCall {
    const { clock } = this.#options;
    const withinMs =
      kind === 'policyRecording' ? ANSWER_POLICY_RECORDING_WITHIN_MS : ANSWER_WITHIN_MS;
    const rangAtMs = clock.nowMs();
    const call: RingingCall = {
      id: randomUUID(),
      callChainId: randomUUID(),
      myParticipantId: randomUUID(),
      kind,
      tenantId: meeting.tenantId,
      participantId: randomUUID(),
      callerId: randomUUID(),
      callerName,
      region,
      rangAtMs,
      webhook,
      state: 'ringing',
      isAcknowledged: false,
      parties: [],
      cancelDeadline: clock.at(rangAtMs + withinMs, () =>
        this.#end(call, call.isAcknowledged ? 'missed' : 'notAcknowledged'),
      ),
    };
    return call;
  }

  /** Rings until the bot has taken the notification. */
  async #tell(call: RingingCall, meeting: Meeting, legacyFirst: boolean): Promise<void> {
    const { clock, clientId } = this.#options;
    if (legacyFirst) await this.#webhook.post(call, call.webhook, legacyBody(call));
    const body = incomingBody(call, meeting, clientId);
    let redirects = 0;
    while (call.state === 'ringing' && !this.#closing.signal.aborted) {
      const answer = await this.#webhook.post(call, call.webhook, body);
      if (answer !== undefined && answer.status < 300) {
        call.isAcknowledged = true;
        return;
      }
      const isRedirect = answer?.status === 302 || answer?.status === 307;
      if (isRedirect && answer.location !== null && redirects < MAX_REDIRECTS) {
        redirects += 1;
        call.webhook = new URL(answer.location, call.webhook).href;
        continue;
      }
      // The bot's own no is final.
      if (answer !== undefined && answer.status < 500 && answer.status !== 429) break;
      await delay(clock, RING_AGAIN_MS);
    }
    if (call.state === 'ringing') this.#end(call, 'notAcknowledged');
  }

  #answer(call: RingingCall, body: unknown, app: AppIdentity): void {
    const { desk, clock } = this.#options;
    const answer = bodyOf(answerBody, body);
    if (!URL.canParse(answer.callbackUri)) throw invalidArgument('callbackUri', 'must be a URL');
    const request = this.#requests.get(call.id);
    const meeting = request === undefined ? undefined : this.#meetingOf(request);
    const callRequest = requestOf(call, answer, app, meeting);
    if (call.kind !== 'user') {
      const isAppHosted = callRequest.media.hosted === 'app';
      requireCreation(app.roles, { target: callRequest.target, isGuest: false, isAppHosted });
    }
    const leg = desk.adopt(callRequest, {
      meeting,
      app,
      scenarioId: call.callChainId,
      identity: call,
    });
    call.cancelDeadline();
    call.state = 'answered';
    call.answeredAfterMs = clock.nowMs() - call.rangAtMs;
    const { participantCapacity: capacity } = answer;
    if (request === undefined || leg === undefined || call.kind !== 'policyRecording') return;
    if (capacity === undefined || capacity === null) {
      for (const party of request.participants) this.#ringFor(request, request.webhook, party);
      return;
    }
    call.participantCapacity = capacity;
    const webhook = this.#webhook;
    const group = new RecordedGroup({
      ...{ call, leg, capacity, webhook, clock },
      invite: (inviteUri, displayName) =>
        this.#ringFor(request, inviteUri, { displayName, joinAfterMs: 0 }),
    });
    this.#groups.add(group);
    group.play(request.participants);
  }

  /** Another bot, or another call of the same one, is to record somebody. */
  #ringFor(request: RingRequest, webhook: string, party: RecordedParty): void {
    const { displayName: callerName, joinAfterMs } = party;
    const { clock } = this.#options;
    clock.at(clock.nowMs() + joinAfterMs, () => {
      if (this.#closing.signal.aborted) return;
      this.ring({ ...request, webhook, callerName, legacyFirst: false, participants: [] });
    });
  }

  #end(call: RingingCall, state: Exclude<RingingState, 'ringing' | 'answered'>): void {
    if (call.state !== 'ringing') return;
    call.cancelDeadline();
    call.state = state;
    if (state === 'missed' || state === 'notAcknowledged') {
      this.#options.log.warn('an incoming call was not answered', { state, kind: call.kind });
    }
    void this.#webhook.post(
      call,
      call.webhook,
      endBody(call, resultBody(RESULTS[END_RESULTS[state]])),
    );
  }

  #forgetOldest(): void {
    for (const [key, call] of this.#calls) {
      call.cancelDeadline();
      this.#calls.delete(key);
      this.#requests.delete(call.id);
      return;
    }
  }
}

const END_RESULTS = {
  missed: 'notAnswered',
  notAcknowledged: 'notAcknowledged',
  rejected: 'rejected',
  redirected: 'redirected',
} as const;

function requestOf(
  call: RingingCall,
  answer: z.infer<typeof answerBody>,
  app: AppIdentity,
  meeting: Meeting | undefined,
): CallRequest {
  return {
    callbackUri: answer.callbackUri,
    requestedModalities: answer.acceptedModalities,
    media: mediaOf(answer),
    tenantId: call.tenantId,
    target: targetOf(call, meeting),
    bot: { kind: 'application', id: app.clientId, displayName: undefined },
    isIncoming: true,
    isPolicyRecording: call.kind === 'policyRecording',
    isDeltaRoster: false,
    shown: {
      mediaConfig: answer.mediaConfig,
      chatInfo: null,
      meetingInfo: null,
      targets: [],
      callOptions: null,
    },
  };
}

/** A user's own call has no roster; the others lead into their meeting. */
function targetOf(call: RingingCall, meeting: Meeting | undefined): CallTarget {
  if (call.kind !== 'user') return { kind: 'chat', threadId: meeting?.threadId ?? '' };
  const caller = { kind: 'user', id: call.callerId, displayName: call.callerName } as const;
  return { kind: 'peer', callees: [caller] };
}
