import type { Clock } from '@earshot/async';
import type { Log } from '@earshot/telemetry';
import type { Meeting } from '../meetings/meeting.js';
import type { MeetingBook } from '../meetings/meeting-book.js';
import { CallScript } from '../scenario/call-script.js';
import type { CreationFacts, ScenarioBook } from '../scenario/scenario-book.js';
import type { AppIdentity } from './app-tokens.js';
import type { CallRequest } from './call-request.js';
import { parseCallRequest } from './call-request.js';
import type { CallbackCounts } from './callback-queue.js';
import { CallbackQueue } from './callback-queue.js';
import type { CallbackSigner } from './callback-signer.js';
import { meetingOfCallees } from './callees.js';
import { appNotRegistered, callNotFound, GraphFault, tenantMismatch } from './graph-fault.js';
import type { GraphLimits } from './graph-limits.js';
import { refusalFault } from './scripted-fault.js';
import type { CallIdentity, CallMedia } from './simulated-call.js';
import { SimulatedCall } from './simulated-call.js';

export interface CallDeskOptions {
  readonly meetings: MeetingBook;
  readonly scenarios: ScenarioBook;
  readonly limits: GraphLimits;
  readonly signer: CallbackSigner;
  readonly clock: Clock;
  readonly random: () => number;
  readonly speed: number;
  readonly log: Log;
  connectMedia(blob: string, onRoom: () => void, graphCallId: string): CallMedia | undefined;
}

/** A call that was asked for, and how that is answered. */
export interface Created {
  /** Undefined where a scenario wants no call made. */
  readonly call: SimulatedCall | undefined;
  readonly script: CallScript;
  /** Resolves once the first callback has been dealt with. */
  readonly firstCallbackDone: Promise<void>;
}

/** All calls that are not over. */
export class CallDesk {
  readonly callbacks: CallbackCounts = {
    delivered: 0,
    retried: 0,
    lost: 0,
    forgeriesTaken: 0,
    forgeriesRefused: 0,
  };
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
  create(body: unknown, app: AppIdentity, scenarioId: string): Created {
    const { scenarios, limits } = this.#options;
    if (!scenarios.isAppRegistered) throw appNotRegistered();
    const parsed = parseCallRequest(body, app);
    if (!parsed.ok) throw parsed.fault;
    const { request } = parsed;
    const script = scenarios.scriptFor(factsOf(request, this.#findMeeting(request)));
    const { create } = script.rule;
    if (create?.refuse !== undefined) throw refusalFault(create.refuse);
    limits.admitCall(this.#calls.size);
    if (create?.made === false) {
      return { call: undefined, script, firstCallbackDone: Promise.resolve() };
    }
    const meeting = this.#meetingOf(request, script);
    return this.#begin(withResolvedChat(request, meeting), { meeting, script, app, scenarioId });
  }

  /**
   * Sets up a call that rang and was answered.
   *
   * @throws GraphFault 403/8530
   */
  adopt(request: CallRequest, answered: Answered): SimulatedCall | undefined {
    const { limits } = this.#options;
    limits.admitCall(this.#calls.size);
    return this.#begin(request, { ...answered, script: new CallScript() }).call;
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

  #begin(request: CallRequest, beginning: Beginning): Created {
    const { meeting, script, app, scenarioId, identity } = beginning;
    const { clock, speed, connectMedia } = this.#options;
    const call: SimulatedCall = new SimulatedCall({
      request,
      identity,
      meeting,
      script,
      clock,
      speed,
      connectMedia: (blob, onRoom) => connectMedia(blob, onRoom, call.id),
      notify: (notification) => queue.post(notification),
      isNotified: () => queue.isIdle,
      onEnded: () => this.#calls.delete(call.id),
    });
    const queue = this.#queueOf(call, app, scenarioId);
    this.#calls.set(call.id, call);
    call.start();
    return { call, script, firstCallbackDone: queue.firstDone };
  }

  /** The id of a meeting is looked up at once, a thread or token only after the call was accepted. */
  #meetingOf(request: CallRequest, script: CallScript): Meeting | undefined {
    const { target, tenantId } = request;
    if ('callees' in target) {
      return meetingOfCallees(target.callees, tenantId, script.rule.callee);
    }
    const found = this.#findMeeting(request);
    if (found === undefined && target.kind === 'joinMeetingId') {
      throw new GraphFault(400, '8561', 'The joinMeetingId or passcode is invalid.');
    }
    return found;
  }

  #findMeeting({ target, tenantId }: CallRequest): Meeting | undefined {
    const meeting = findByTarget(this.#options.meetings, target);
    return meeting?.tenantId.toLowerCase() === tenantId.toLowerCase() ? meeting : undefined;
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
      faults: call.script.callbackFaults,
      clock,
      random,
      log,
      counts: this.callbacks,
      signal: this.#closing.signal,
      onIdle: () => call.wake(),
    });
  }
}

/** Who answered a call that rang, and where it leads. */
export interface Answered {
  readonly meeting: Meeting | undefined;
  readonly app: AppIdentity;
  readonly scenarioId: string;
  readonly identity?: CallIdentity;
}

interface Beginning extends Answered {
  readonly script: CallScript;
}

function findByTarget(meetings: MeetingBook, target: CallRequest['target']): Meeting | undefined {
  switch (target.kind) {
    case 'organizer':
      return meetings.findByThread(target.threadId, target.organizerId);
    case 'joinMeetingId':
      return meetings.findById(target.joinMeetingId, target.passcode);
    case 'token':
      return meetings.findByToken(target.token);
    case 'chat':
      return meetings.findByChat(target.threadId);
    default:
      return undefined;
  }
}

function factsOf({ target, media }: CallRequest, meeting: Meeting | undefined): CreationFacts {
  return {
    meeting: meeting?.name,
    target: 'callees' in target ? target.kind : 'meeting',
    media: media.hosted,
  };
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
  return { ...request, shown: { ...request.shown, chatInfo } };
}
