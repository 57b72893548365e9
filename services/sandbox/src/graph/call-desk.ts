import type { Clock } from '@earshot/async';
import type { Log } from '@earshot/telemetry';
import type { Meeting } from '../meetings/meeting.js';
import type { MeetingBook } from '../meetings/meeting-book.js';
import type { AppIdentity } from './app-tokens.js';
import type { CallRequest } from './call-request.js';
import { parseCallRequest } from './call-request.js';
import type { CallbackCounts } from './callback-queue.js';
import { CallbackQueue } from './callback-queue.js';
import type { CallbackSigner } from './callback-signer.js';
import { callNotFound, GraphFault, tenantMismatch } from './graph-fault.js';
import type { CallMedia } from './simulated-call.js';
import { SimulatedCall } from './simulated-call.js';

/** Graph's limit per app. */
const MAX_CALLS = 100;

export interface CallDeskOptions {
  readonly meetings: MeetingBook;
  readonly signer: CallbackSigner;
  readonly clock: Clock;
  readonly random: () => number;
  readonly speed: number;
  readonly log: Log;
  connectMedia(blob: string, onRoom: () => void, graphCallId: string): CallMedia | undefined;
}

/** All calls that are not over. */
export class CallDesk {
  readonly callbacks: CallbackCounts = { delivered: 0, retried: 0, lost: 0 };
  readonly #options: CallDeskOptions;
  readonly #calls = new Map<string, SimulatedCall>();
  readonly #closing = new AbortController();

  constructor(options: CallDeskOptions) {
    this.#options = options;
  }

  get activeCalls(): number {
    return this.#calls.size;
  }

  /**
   * Creates the bot's leg and begins to set it up.
   *
   * @param scenarioId the bot's own, echoed on callbacks.
   * @throws GraphFault
   */
  create(body: unknown, app: AppIdentity, scenarioId: string): SimulatedCall {
    const parsed = parseCallRequest(body, app);
    if (!parsed.ok) throw parsed.fault;
    if (this.#calls.size >= MAX_CALLS) {
      throw new GraphFault(403, '8530', 'The limit of active calls has been reached.');
    }
    const { request } = parsed;
    const meeting = this.#meetingOf(request);
    const { clock, speed, connectMedia } = this.#options;
    const call: SimulatedCall = new SimulatedCall({
      request: withResolvedChat(request, meeting),
      meeting,
      clock,
      speed,
      connectMedia: (onRoom) => connectMedia(request.blob, onRoom, call.id),
      notify: (notification) => queue.post(notification),
      isNotified: () => queue.isIdle,
      onEnded: () => this.#calls.delete(call.id),
    });
    const queue = this.#queueOf(call, app, scenarioId);
    this.#calls.set(call.id, call);
    call.start();
    return call;
  }

  /**
   * A call of this app that is not over.
   *
   * @throws GraphFault 404/8522; 403/7505 with a token of another tenant.
   */
  find(callId: string, app: AppIdentity): SimulatedCall {
    const call = this.#calls.get(callId.toLowerCase());
    if (call === undefined) throw callNotFound();
    if (call.request.tenantId !== app.tenantId) throw tenantMismatch();
    return call;
  }

  /** Drops all calls; bots are not told. */
  close(): void {
    this.#closing.abort();
    for (const call of this.#calls.values()) call.drop();
    this.#calls.clear();
  }

  /** The id of a meeting is looked up at once, a thread only after the call was accepted. */
  #meetingOf({ target, tenantId }: CallRequest): Meeting | undefined {
    const { meetings } = this.#options;
    const meeting =
      target.kind === 'organizer'
        ? meetings.findByThread(target.threadId, target.organizerId)
        : meetings.findById(target.joinMeetingId, target.passcode);
    const found = meeting?.tenantId.toLowerCase() === tenantId.toLowerCase() ? meeting : undefined;
    if (found === undefined && target.kind === 'joinMeetingId') {
      throw new GraphFault(400, '8561', 'The joinMeetingId or passcode is invalid.');
    }
    return found;
  }

  #queueOf(call: SimulatedCall, app: AppIdentity, scenarioId: string): CallbackQueue {
    const { signer, clock, random, log } = this.#options;
    return new CallbackQueue({
      callbackUri: call.request.callbackUri,
      clientId: app.clientId,
      tenantId: app.tenantId,
      chainId: call.callChainId,
      scenarioId,
      signer,
      clock,
      random,
      log,
      counts: this.callbacks,
      signal: this.#closing.signal,
      onIdle: () => call.wake(),
    });
  }
}

/** Joined by id, the answer tells the chat that the id stands for. */
function withResolvedChat(request: CallRequest, meeting: Meeting | undefined): CallRequest {
  if (request.target.kind !== 'joinMeetingId' || meeting === undefined) return request;
  const chatInfo = {
    '@odata.type': '#microsoft.graph.chatInfo',
    threadId: meeting.threadId,
    messageId: '0',
    replyChainMessageId: null,
  };
  return { ...request, chatInfo };
}
