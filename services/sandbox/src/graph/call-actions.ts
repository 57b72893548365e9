import { randomBytes, randomUUID } from 'node:crypto';
import {
  bodyOf,
  contextBody,
  playPromptBody,
  recordingStatusBody,
  recordResponseBody,
  sendTonesBody,
  sharingRoleBody,
  transferBody,
} from './action-bodies.js';
import type { Visit } from './call-gate.js';
import type { GraphOperation } from './call-operations.js';
import { requireMethod } from './call-permissions.js';
import { RESULTS } from './call-results.js';
import { calleeOf } from './call-target.js';
import {
  badRequest,
  conflictingOperation,
  GraphFault,
  notEstablished,
  notGroupCall,
} from './graph-fault.js';
import { requireAction } from './metadata-check.js';
import type { SimulatedCall } from './simulated-call.js';

const PROMPT_MS = 500;
const TONE_MS = 100;
const DEFAULT_RECORD_S = 5;
const GALLERY_MS = 100;
/** What `cancelMediaProcessing` ends. */
const MEDIA_OPERATIONS: ReadonlySet<string> = new Set(['playPromptOperation', 'recordOperation']);
const RECORDING: ReadonlySet<string> = new Set(['recordOperation']);
const SENDING_TONES: ReadonlySet<string> = new Set(['sendDtmfTonesOperation']);
const CANCELLED = { code: 400, subcode: 8508, message: 'The media operation was cancelled.' };

/** What an action answers: an operation with 200, or no body with another status. */
export type ActionAnswer = { readonly operation: GraphOperation } | { readonly status: 200 | 202 };

/** An action of a call, as Graph names it. */
interface Action {
  /** Media hosted otherwise have it fail with 500/9999. */
  readonly hosted?: 'app' | 'service';
  readonly isGroupOnly?: boolean;
  /** Allowed before the call is established. */
  readonly isAnytime?: boolean;
  /** What the metadata call it; they are not asked where they don't know it. */
  readonly metadataName?: string | undefined;
  run(visit: Visit, body: unknown): ActionAnswer;
}

const ACTIONS: Readonly<Record<string, Action>> = {
  keepAlive: {
    isAnytime: true,
    // It takes no body, and ignores what there is.
    metadataName: undefined,
    run: ({ call }) => {
      call.keepAlive();
      return { status: 200 };
    },
  },
  mute: { isGroupOnly: true, run: (visit, body) => setMuted(visit, body, true) },
  unmute: { isGroupOnly: true, run: (visit, body) => setMuted(visit, body, false) },
  playPrompt: { hosted: 'service', run: playPrompt },
  recordResponse: { hosted: 'service', run: recordResponse },
  record: { hosted: 'service', metadataName: 'recordResponse', run: recordResponse },
  subscribeToTone: { hosted: 'service', run: subscribeToTone },
  cancelMediaProcessing: { hosted: 'service', run: cancelMediaProcessing },
  sendDtmfTones: { run: sendDtmfTones },
  changeScreenSharingRole: { hosted: 'app', isGroupOnly: true, run: changeScreenSharingRole },
  updateRecordingStatus: { run: updateRecordingStatus },
  addLargeGalleryView: { isGroupOnly: true, run: addLargeGalleryView },
  transfer: { run: transfer },
};

/** Graph's name of an action in a path: both forms are in use. */
export function actionName(segment: string): string {
  return segment.replace(/^microsoft\.graph\./, '');
}

/**
 * Performs an action of a call.
 *
 * @throws GraphFault
 */
export function performAction(name: string, visit: Visit, body: unknown): ActionAnswer {
  const action = Object.hasOwn(ACTIONS, name) ? ACTIONS[name] : undefined;
  if (action === undefined) {
    throw badRequest(`Resource not found for the segment '${name.slice(0, 64)}'.`);
  }
  const { call, app } = visit;
  if (action.hosted !== undefined && action.hosted !== call.request.media.hosted) {
    throw new GraphFault(500, '9999', 'Unknown error occurred.');
  }
  requireMethod(app.roles, name);
  const metadataName = 'metadataName' in action ? action.metadataName : name;
  if (metadataName !== undefined) requireAction('call', metadataName, body);
  if (!action.isAnytime) requireEstablished(call);
  if (action.isGroupOnly && !call.isGroup) throw notGroupCall();
  return action.run(visit, body);
}

/** @throws GraphFault 400/8501 */
export function requireEstablished(call: SimulatedCall): void {
  if (call.state !== 'established') throw notEstablished();
}

function setMuted({ call, fault }: Visit, body: unknown, isMuted: boolean): ActionAnswer {
  const { clientContext } = bodyOf(contextBody, body);
  const type = isMuted ? 'muteParticipantOperation' : 'unmuteParticipantOperation';
  if (fault?.operation === undefined) call.setMuted(isMuted);
  return { operation: call.operations.complete({ type, clientContext }, fault?.operation) };
}

function playPrompt({ call, fault }: Visit, body: unknown): ActionAnswer {
  const { clientContext, prompts } = bodyOf(playPromptBody, body);
  const operation = call.operations.run({
    type: 'playPromptOperation',
    clientContext,
    takesMs: PROMPT_MS * prompts.length,
    failure: fault?.operation,
  });
  return { operation };
}

/** Nobody speaks in the simulation: the recording goes on for as long as it may. */
function recordResponse({ call, fault }: Visit, body: unknown): ActionAnswer {
  const parsed = bodyOf(recordResponseBody, body);
  if (call.operations.isRunning(RECORDING)) throw conflictingOperation('another recording');
  const durationS = parsed.maxRecordDurationInSeconds ?? DEFAULT_RECORD_S;
  const operation = call.operations.run({
    type: 'recordOperation',
    clientContext: parsed.clientContext,
    takesMs: durationS * 1_000,
    failure: fault?.operation,
    onDone: () => ({
      resultInfo: {
        '@odata.type': '#microsoft.graph.resultInfo',
        code: 200,
        subcode: 8515,
        message: 'The maximum recording duration was reached.',
      },
      recordingLocation: `https://recordings.invalid/${randomUUID()}`,
      recordingAccessToken: randomBytes(24).toString('base64url'),
    }),
  });
  return { operation };
}

function subscribeToTone({ call, fault }: Visit, body: unknown): ActionAnswer {
  const { clientContext } = bodyOf(contextBody, body);
  if (fault?.operation === undefined) call.subscribeToTones();
  const start = { type: 'subscribeToToneOperation', clientContext };
  return { operation: call.operations.complete(start, fault?.operation) };
}

function cancelMediaProcessing({ call, fault }: Visit, body: unknown): ActionAnswer {
  const { clientContext } = bodyOf(contextBody, body);
  if (fault?.operation === undefined) call.operations.cancel(MEDIA_OPERATIONS, CANCELLED);
  const start = { type: 'cancelMediaProcessingOperation', clientContext };
  return { operation: call.operations.complete(start, fault?.operation) };
}

function sendDtmfTones({ call, fault }: Visit, body: unknown): ActionAnswer {
  const { clientContext, tones, delayBetweenTonesMs } = bodyOf(sendTonesBody, body);
  if (call.operations.isRunning(SENDING_TONES)) throw conflictingOperation('sending of tones');
  const operation = call.operations.run({
    type: 'sendDtmfTonesOperation',
    clientContext,
    takesMs: tones.length * (TONE_MS + (delayBetweenTonesMs ?? 0)),
    failure: fault?.operation,
    onDone: () => ({ completionReason: 'completedSuccessfully' }),
  });
  return { operation };
}

function changeScreenSharingRole({ call }: Visit, body: unknown): ActionAnswer {
  call.setSharing(bodyOf(sharingRoleBody, body).role === 'sharer');
  return { status: 202 };
}

/** Only calls that a recording policy brought about may declare a recording. */
function updateRecordingStatus({ call, fault }: Visit, body: unknown): ActionAnswer {
  const { clientContext, status } = bodyOf(recordingStatusBody, body);
  if (!call.request.isPolicyRecording) {
    throw new GraphFault(403, '8506', 'API call not allowed for non-Compliance Recording call');
  }
  if (fault?.operation === undefined) call.setRecordingStatus(status);
  const start = { type: 'updateRecordingStatusOperation', clientContext };
  return { operation: call.operations.complete(start, fault?.operation) };
}

function addLargeGalleryView({ call, fault }: Visit, body: unknown): ActionAnswer {
  const { clientContext } = bodyOf(contextBody, body);
  const operation = call.operations.run({
    type: 'addLargeGalleryViewOperation',
    clientContext,
    takesMs: GALLERY_MS,
    failure: fault?.operation,
  });
  return { operation };
}

/** A call with one party is handed on to another one. */
function transfer({ call, fault }: Visit, body: unknown): ActionAnswer {
  const { transferTarget } = bodyOf(transferBody, body);
  calleeOf(transferTarget, 'transferTarget');
  if (call.isGroup) {
    throw new GraphFault(400, '8523', 'Only calls with one party can be transferred.');
  }
  call.transfer(fault?.operation === undefined ? undefined : RESULTS.transferFailed);
  return { status: 202 };
}
