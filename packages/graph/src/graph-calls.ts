import type { CallData, Operation, ParticipantData } from '@earshot/call';
import { checkAction, checkType } from '@earshot/graph-metadata';
import type { CreatedCall } from './answers.js';
import {
  callOf,
  createdCall,
  operationOf,
  participantOf,
  participantsOf,
  routingGroupOf,
  routingGroupsOf,
} from './answers.js';
import { assertValid } from './assert-valid.js';
import type { AudioRoutingGroup, AudioRoutingParams } from './bodies/audio-routing.js';
import { audioRoutingBody } from './bodies/audio-routing.js';
import type { CallTarget } from './bodies/call-target.js';
import type { DeviceQuality } from './bodies/device-quality.js';
import { deviceQualityBody } from './bodies/device-quality.js';
import type {
  AnswerParams,
  RedirectParams,
  RejectParams,
  TransferParams,
} from './bodies/incoming.js';
import { answerBody, redirectBody, rejectBody, transferBody } from './bodies/incoming.js';
import type { Json } from './bodies/json.js';
import type { CreateCallRequest } from './bodies/new-call.js';
import { newCallBody } from './bodies/new-call.js';
import type {
  InviteParticipantsParams,
  OperationParams,
  ParticipantParams,
  PlayPromptParams,
  RecordResponseParams,
  SendDtmfTonesParams,
  StartHoldMusicParams,
  UpdateRecordingStatusParams,
} from './bodies/operations.js';
import {
  inviteBody,
  operationBody,
  playPromptBody,
  recordResponseBody,
  sendDtmfTonesBody,
  startHoldMusicBody,
  updateRecordingStatusBody,
} from './bodies/operations.js';
import type { CallAction } from './call-actions.js';
import { assertMedia, CALL_ACTIONS } from './call-actions.js';
import type { CallAddress, CallRef } from './call-ref.js';
import type { GraphCallsOptions, GraphRequest } from './graph-client.js';
import { GraphClient } from './graph-client.js';

const CALLS = '/communications/calls';

/**
 * Graph's calls API, one method a request, nothing retried: who calls knows what may be repeated.
 *
 * All methods throw GraphError. Nothing is sent of what Graph would refuse: a body beyond its
 * limits (`graph_request_invalid`), a method that the call hasn't the media for
 * (`needs_service_hosted_media`, `needs_app_hosted_media`). Operations are answered as they are
 * then; when not `completed` or `failed`, a notification tells how they ended.
 */
export class GraphCalls {
  readonly #client: GraphClient;

  constructor(options: GraphCallsOptions) {
    this.#client = new GraphClient(options);
  }

  /**
   * Joins a meeting, or calls someone (Graph: application-post-calls). A failure with
   * `mayHaveHappened` may still lead to a call: recognise it by its callback address.
   */
  async create(request: CreateCallRequest): Promise<CreatedCall> {
    const { tenantId, scenarioId } = request;
    const action = wordsOf(request.target);
    const body = newCallBody(request);
    assertValid(action, checkType('call', body));
    const answer = await this.#client.send({
      ...{ tenantId, scenarioId, action, body },
      method: 'POST',
      path: CALLS,
    });
    return createdCall(action, answer);
  }

  /** The call as Graph sees it; 404 once it is over (Graph: call-get). */
  async get(call: CallAddress): Promise<CallData> {
    const action = 'read the call';
    return callOf(action, await this.#onCall('GET', call, '', action));
  }

  /** The whole roster (Graph: call-list-participants). */
  async listParticipants(call: CallAddress): Promise<readonly ParticipantData[]> {
    const action = 'list participants';
    return participantsOf(action, await this.#onCall('GET', call, '/participants', action));
  }

  /** One entry of the roster (Graph: participant-get). */
  async getParticipant(
    call: CallAddress,
    { participantId }: { readonly participantId: string },
  ): Promise<ParticipantData> {
    const action = 'read the participant';
    return participantOf(
      action,
      await this.#onCall('GET', call, participantPath(participantId), action),
    );
  }

  /** Ends our own leg; 404 when it is over already (Graph: call-delete). */
  async delete(call: CallAddress): Promise<void> {
    await this.#onCall('DELETE', call, '', 'leave the call');
  }

  /** Due within every 45 minutes; 404 when the call is over (Graph: call-keepalive). */
  async keepAlive(call: CallAddress): Promise<void> {
    await this.#act(call, CALL_ACTIONS.keepAlive, undefined);
  }

  /** Mutes our own leg; group calls only (Graph: call-mute). */
  mute(call: CallRef, params: OperationParams = {}): Promise<Operation> {
    return this.#operate(call, CALL_ACTIONS.mute, operationBody(params));
  }

  /** Takes our own mute back; group calls only (Graph: call-unmute). */
  unmute(call: CallRef, params: OperationParams = {}): Promise<Operation> {
    return this.#operate(call, CALL_ACTIONS.unmute, operationBody(params));
  }

  /** Plays files; service-hosted media only (Graph: call-playprompt). */
  playPrompt(call: CallRef, params: PlayPromptParams): Promise<Operation> {
    return this.#operate(call, CALL_ACTIONS.playPrompt, playPromptBody(params));
  }

  /** Records up to two minutes; service-hosted media only (Graph: call-record). */
  recordResponse(call: CallRef, params: RecordResponseParams = {}): Promise<Operation> {
    return this.#operate(call, CALL_ACTIONS.recordResponse, recordResponseBody(params));
  }

  /**
   * Cancels prompts and recordings that run or wait; service-hosted media only
   * (Graph: call-cancelmediaprocessing).
   */
  cancelMediaProcessing(call: CallRef, params: OperationParams = {}): Promise<Operation> {
    return this.#operate(call, CALL_ACTIONS.cancelMediaProcessing, operationBody(params));
  }

  /** Key presses come as notifications; service-hosted media only (Graph: call-subscribetotone). */
  subscribeToTone(call: CallRef, params: OperationParams = {}): Promise<Operation> {
    return this.#operate(call, CALL_ACTIONS.subscribeToTone, operationBody(params));
  }

  /** Sends key presses into the call (Graph: call-senddtmftones). */
  sendDtmfTones(call: CallRef, params: SendDtmfTonesParams): Promise<Operation> {
    return this.#operate(call, CALL_ACTIONS.sendDtmfTones, sendDtmfTonesBody(params));
  }

  /**
   * Whether we share a screen or see one; group calls with app-hosted media only
   * (Graph: call-changescreensharingrole).
   */
  async changeScreenSharingRole(
    call: CallRef,
    { role }: { readonly role: 'viewer' | 'sharer' },
  ): Promise<void> {
    assertMedia(CALL_ACTIONS.changeScreenSharingRole, call);
    await this.#act(call, CALL_ACTIONS.changeScreenSharingRole, { role });
  }

  /**
   * Granted to policy-recording calls only, else 8506. Nothing may be kept before this succeeded
   * with `recording` (Graph: call-updaterecordingstatus).
   */
  updateRecordingStatus(call: CallRef, params: UpdateRecordingStatusParams): Promise<Operation> {
    const body = updateRecordingStatusBody(params);
    return this.#operate(call, CALL_ACTIONS.updateRecordingStatus, body);
  }

  /** What a video interop device saw; of partners only (Graph: call-logteleconferencedevicequality). */
  async logTeleconferenceDeviceQuality(tenantId: string, quality: DeviceQuality): Promise<void> {
    const { words: action, boundTo, name } = CALL_ACTIONS.logTeleconferenceDeviceQuality;
    const body = deviceQualityBody(quality);
    assertValid(action, checkAction(boundTo, name, body));
    await this.#client.send({ tenantId, action, body, method: 'POST', path: `${CALLS}/${name}` });
  }

  /**
   * Takes an incoming call, within 15 s of its notification, 5 s for policy recording
   * (Graph: call-answer).
   */
  async answer(call: CallAddress, params: AnswerParams): Promise<void> {
    await this.#act(call, CALL_ACTIONS.answer, answerBody(params));
  }

  /** Refuses an incoming call, within the same time (Graph: call-reject). */
  async reject(call: CallAddress, params: RejectParams = {}): Promise<void> {
    await this.#act(call, CALL_ACTIONS.reject, rejectBody(params));
  }

  /** Sends an incoming call elsewhere, within the same time (Graph: call-redirect). */
  async redirect(call: CallAddress, params: RedirectParams): Promise<void> {
    await this.#act(call, CALL_ACTIONS.redirect, redirectBody(params));
  }

  /** Hands an established call of two over (Graph: call-transfer). */
  async transfer(call: CallRef, params: TransferParams): Promise<void> {
    await this.#act(call, CALL_ACTIONS.transfer, transferBody(params));
  }

  /** Brings up to five into a group call (Graph: participant-invite). */
  inviteParticipants(call: CallRef, params: InviteParticipantsParams): Promise<Operation> {
    return this.#operate(call, CALL_ACTIONS.inviteParticipants, inviteBody(params));
  }

  /** Mutes someone for all; only they can unmute (Graph: participant-mute). */
  muteParticipant(call: CallRef, params: ParticipantParams): Promise<Operation> {
    const { participantId } = params;
    return this.#operate(call, CALL_ACTIONS.muteParticipant, operationBody(params), participantId);
  }

  /** Removes someone; the tenant must allow the app to (Graph: participant-delete). */
  async removeParticipant(
    call: CallRef,
    { participantId }: { readonly participantId: string },
  ): Promise<void> {
    await this.#onCall('DELETE', call, participantPath(participantId), 'remove the participant');
  }

  /** Plays music to someone; a prompt of our own is for service-hosted media only. */
  startHoldMusic(call: CallRef, params: StartHoldMusicParams): Promise<Operation> {
    const isOwn = params.customPrompt !== undefined;
    const action = isOwn ? CALL_ACTIONS.playHoldPrompt : CALL_ACTIONS.startHoldMusic;
    return this.#operate(call, action, startHoldMusicBody(params), params.participantId);
  }

  /** (Graph: participant-stopholdmusic) */
  stopHoldMusic(call: CallRef, params: ParticipantParams): Promise<Operation> {
    const { participantId } = params;
    return this.#operate(call, CALL_ACTIONS.stopHoldMusic, operationBody(params), participantId);
  }

  /** Adds the view of many to the meeting (Graph: call-addlargegalleryview). */
  addLargeGalleryView(call: CallRef, params: OperationParams = {}): Promise<Operation> {
    return this.#operate(call, CALL_ACTIONS.addLargeGalleryView, operationBody(params));
  }

  /** (Graph: call-list-audioroutinggroups) */
  async listAudioRoutingGroups(call: CallRef): Promise<readonly AudioRoutingGroup[]> {
    const action = 'list audio routing groups';
    return routingGroupsOf(action, await this.#onCall('GET', call, GROUPS, action));
  }

  /** (Graph: call-post-audioroutinggroups) */
  createAudioRoutingGroup(call: CallRef, params: AudioRoutingParams): Promise<AudioRoutingGroup> {
    return this.#writeGroup('POST', call, GROUPS, 'create the audio routing group', params);
  }

  /** (Graph: audioroutinggroup-get) */
  async getAudioRoutingGroup(
    call: CallRef,
    { groupId }: { readonly groupId: string },
  ): Promise<AudioRoutingGroup> {
    const action = 'read the audio routing group';
    return routingGroupOf(action, await this.#onCall('GET', call, groupPath(groupId), action));
  }

  /** (Graph: audioroutinggroup-update) */
  updateAudioRoutingGroup(
    call: CallRef,
    { groupId, ...params }: AudioRoutingParams & { readonly groupId: string },
  ): Promise<AudioRoutingGroup> {
    const action = 'update the audio routing group';
    return this.#writeGroup('PATCH', call, groupPath(groupId), action, params);
  }

  /** (Graph: audioroutinggroup-delete) */
  async deleteAudioRoutingGroup(
    call: CallRef,
    { groupId }: { readonly groupId: string },
  ): Promise<void> {
    await this.#onCall('DELETE', call, groupPath(groupId), 'delete the audio routing group');
  }

  async #writeGroup(
    method: 'POST' | 'PATCH',
    call: CallRef,
    path: string,
    action: string,
    params: AudioRoutingParams,
  ): Promise<AudioRoutingGroup> {
    const body = audioRoutingBody(params);
    assertValid(action, checkType('audioRoutingGroup', body));
    return routingGroupOf(action, await this.#onCall(method, call, path, action, body));
  }

  async #operate(
    call: CallRef,
    action: CallAction,
    body: Json,
    participantId?: string,
  ): Promise<Operation> {
    assertMedia(action, call);
    return operationOf(action.words, await this.#act(call, action, body, participantId));
  }

  #act(
    call: CallAddress,
    action: CallAction,
    body: Json | undefined,
    participantId = '',
  ): Promise<unknown> {
    const { name, boundTo, words } = action;
    assertValid(words, checkAction(boundTo, name, body));
    return this.#onCall('POST', call, actionPath(action, participantId), words, body);
  }

  #onCall(
    method: GraphRequest['method'],
    { tenantId, graphCallId, scenarioId }: CallAddress,
    suffix: string,
    action: string,
    body?: Json,
  ): Promise<unknown> {
    const path = `${CALLS}/${encodeURIComponent(graphCallId)}${suffix}`;
    return this.#client.send({ tenantId, method, path, action, body, scenarioId });
  }
}

const GROUPS = '/audioRoutingGroups';

function wordsOf({ kind }: CallTarget): string {
  if (kind === 'users' || kind === 'phone') return 'place the call';
  return kind === 'chat' ? 'call the chat' : 'join the meeting';
}

function groupPath(groupId: string): string {
  return `${GROUPS}/${encodeURIComponent(groupId)}`;
}

function participantPath(participantId: string): string {
  return `/participants/${encodeURIComponent(participantId)}`;
}

function actionPath({ name, boundTo }: CallAction, participantId: string): string {
  if (boundTo === 'participant') return `${participantPath(participantId)}/${name}`;
  return boundTo === 'Collection(participant)' ? `/participants/${name}` : `/${name}`;
}
