import { createHash, randomBytes } from 'node:crypto';
import type { Clock } from '@earshot/async';
import type { CallRecord, PlayRecord, Registry } from '@earshot/registry';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { serviceState } from '../calls/service-state.js';
import { AudioDesk } from '../plays/audio-desk.js';
import { playViewOf } from '../plays/play-view.js';
import { AUDIO_TYPES, audioKindOf, MAX_BODY_BYTES } from '../plays/posted-audio.js';
import { callOf } from './call-of.js';
import { keyOfCaller } from './idempotency.js';
import { pagedInOrder, pageQuery } from './paging.js';
import {
  callNotLive,
  hostCannotPlay,
  keyReused,
  playNotFound,
  tooLarge,
  tooManyUploads,
  unsupportedMediaType,
} from './play-problems.js';
import type { PlayListView, PlayView } from './play-schemas.js';
import { validate } from './validate.js';

/** What the routes stand on. */
export interface PlayRoutesOptions {
  readonly registry: Registry;
  readonly clock: Clock;
}

interface CallParams {
  Params: { id: string };
}

interface PlayParams {
  Params: { id: string; playId: string };
}

const READ = { config: { scope: 'calls:read' } } as const;
const PLAY = { config: { scope: 'media:play' } } as const;

/** `/v1/calls/:id/play` and `/v1/calls/:id/plays`: audio into the meeting. */
export function addPlayRoutes(app: FastifyInstance, { registry, clock }: PlayRoutesOptions): void {
  const desk = new AudioDesk();

  // Of its own: no other route takes audio.
  app.register(async (scope) => {
    scope.addContentTypeParser(
      [...AUDIO_TYPES],
      { parseAs: 'buffer', bodyLimit: MAX_BODY_BYTES },
      (_request, body, done) => done(null, body),
    );
    scope.post<CallParams>(
      '/v1/calls/:id/play',
      { ...PLAY, onRequest: admit, errorHandler: nameTooLarge },
      async (request, reply) => {
        const call = await callOf(registry, request.params.id);
        const play = await postedPlay(request);
        reply.code(202).header('location', `/v1/calls/${play.callId}/plays/${play.playId}`);
        return playViewOf(play, call);
      },
    );
  });

  app.get<CallParams>('/v1/calls/:id/plays', READ, async (request): Promise<PlayListView> => {
    const call = await callOf(registry, request.params.id);
    const query = validate(pageQuery, request.query, 'query');
    const plays = await registry.plays.list(call.callId);
    const { items, next } = pagedInOrder(plays, ({ playId }) => playId, query);
    return { plays: items.map((play) => playViewOf(play, call)), ...next };
  });

  app.get<PlayParams>('/v1/calls/:id/plays/:playId', READ, async (request): Promise<PlayView> => {
    const call = await callOf(registry, request.params.id);
    const play = await registry.plays.read(call.callId, request.params.playId);
    if (play === undefined) throw playNotFound();
    return playViewOf(play, call);
  });

  app.delete<PlayParams>('/v1/calls/:id/plays/:playId', PLAY, async (request, reply) => {
    const call = await callOf(registry, request.params.id);
    const play = await registry.plays.requestClear(call.callId, request.params.playId);
    if (play === undefined) throw playNotFound();
    reply.code(202);
    return playViewOf(play, call);
  });

  /** Everything that can be refused before the body is read is. */
  async function admit(request: FastifyRequest<CallParams>, reply: FastifyReply): Promise<void> {
    const type = request.headers['content-type'];
    if (audioKindOf(type) === undefined) throw unsupportedMediaType(type);
    if (Number(request.headers['content-length'] ?? 0) > MAX_BODY_BYTES) throw tooLarge();
    const call = await callOf(registry, request.params.id);
    if (!isLive(call)) throw callNotLive(call.model.state);
    if ((await registry.plays.hostCanPlay(call.callId)) === false) throw hostCannotPlay();
    if (!desk.enter(reply.raw)) throw tooManyUploads();
  }

  async function postedPlay(request: FastifyRequest<CallParams>): Promise<PlayRecord> {
    const key = keyOfCaller(request);
    const kind = audioKindOf(request.headers['content-type']) ?? 'wav';
    const body = request.body instanceof Uint8Array ? request.body : new Uint8Array(0);
    const digest = createHash('sha256').update(body).digest('hex');
    const { ogg, frames, sampleRateHz } = await desk.normalise(body, kind);
    const callId = request.params.id;
    const own = `p_${randomBytes(16).toString('base64url')}`;
    const playId =
      key === undefined ? own : await registry.idempotent(`play\n${callId}\n${key}`, own);
    const createdAtMs = clock.wallclockMs();
    const state = 'queued';
    const play = { playId, callId, state, createdAtMs, frames, sampleRateHz, digest } as const;
    const stored = await registry.plays.add(play, ogg);
    if (stored.digest !== digest) throw keyReused();
    return stored;
  }
}

/** Audio can be heard only while a media host has the call. */
function isLive(call: CallRecord): boolean {
  const { end, hangUpAtMs, establishedAtMs, attachedAtMs } = serviceState(call);
  const isUp = establishedAtMs !== undefined && attachedAtMs !== undefined;
  return isUp && end === undefined && hangUpAtMs === undefined;
}

function nameTooLarge(error: FastifyError): never {
  throw error.code === 'FST_ERR_CTP_BODY_TOO_LARGE' ? tooLarge() : error;
}
