import { graphToneOf } from '@earshot/dtmf';
import type { Registry } from '@earshot/registry';
import type { FastifyInstance } from 'fastify';
import { callOf } from './call-of.js';
import type { CallOperations } from './call-operations.js';
import { screenSharingRoleBody, tonesBody } from './control-schemas.js';
import { transferBody } from './participant-schemas.js';
import { graphCallIdOf, partyOf } from './parties.js';
import { Problem } from './problem.js';
import { validate } from './validate.js';

/** What the routes stand on. */
export interface ControlRoutesOptions {
  readonly registry: Registry;
  readonly operations: CallOperations;
}

interface CallParams {
  Params: { id: string };
}

const CONTROL = { config: { scope: 'calls:control' } } as const;

/** What our own leg does in a call: mute, tones, screen sharing, transfer. */
export function addControlRoutes(
  app: FastifyInstance,
  { registry, operations }: ControlRoutesOptions,
): void {
  for (const kind of ['mute', 'unmute'] as const) {
    app.post<CallParams>(`/v1/calls/:id/${kind}`, CONTROL, (request, reply) =>
      operations.post(request, reply, undefined, {
        kind,
        send: (graph, call, clientContext) => graph[kind](call, { clientContext }),
      }),
    );
  }

  app.post<CallParams>('/v1/calls/:id/large-gallery-view', CONTROL, (request, reply) =>
    operations.post(request, reply, undefined, {
      kind: 'addLargeGalleryView',
      send: (graph, call, clientContext) => graph.addLargeGalleryView(call, { clientContext }),
    }),
  );

  app.post<CallParams>('/v1/calls/:id/tones', CONTROL, (request, reply) => {
    const body = validate(tonesBody, request.body, 'body');
    const { tones, delayMs } = body;
    return operations.post(request, reply, body, {
      kind: 'sendTones',
      send: (graph, call, clientContext) =>
        graph.sendDtmfTones(call, {
          clientContext,
          tones: tones.map(graphToneOf),
          ...(delayMs === undefined ? {} : { delayBetweenTonesMs: delayMs }),
        }),
    });
  });

  app.post<CallParams>('/v1/calls/:id/screen-sharing-role', CONTROL, (request, reply) => {
    const body = validate(screenSharingRoleBody, request.body, 'body');
    return operations.post(request, reply, body, {
      kind: 'changeScreenSharingRole',
      async send(graph, call) {
        await graph.changeScreenSharingRole(call, body);
        return 'done';
      },
    });
  });

  app.post<CallParams>('/v1/calls/:id/transfer', CONTROL, async (request, reply) => {
    const body = validate(transferBody, request.body, 'body');
    const replacesCallId = await graphCallIdOf(registry, body.replacesCallId);
    const { target, transferee } = body;
    return operations.post(request, reply, body, {
      kind: 'transfer',
      async send(graph, call) {
        await graph.transfer(call, {
          target: { party: partyOf(target), ...replacesCallId },
          ...(transferee === undefined ? {} : { transferee: partyOf(transferee) }),
        });
        return 'accepted';
      },
    });
  });

  app.post<CallParams>('/v1/calls/:id/prompts', CONTROL, async (request) => {
    await callOf(registry, request.params.id);
    throw needsServiceHostedMedia();
  });
}

function needsServiceHostedMedia(): Problem {
  return new Problem({
    status: 409,
    code: 'needs_service_hosted_media',
    title: 'Not for calls of a media host',
    detail:
      'Cannot play a prompt: the call must have media that Teams hosts, got one whose media Earshot hosts itself',
    fix: 'Post the audio to /v1/calls/:id/play: it is heard in the meeting.',
  });
}
