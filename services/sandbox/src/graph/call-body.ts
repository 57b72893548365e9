import type { SimulatedCall } from './simulated-call.js';

/** The call as Graph shows it: `microsoft.graph.call`, with the leg's own properties. */
export function callBody(call: SimulatedCall, metadataUrl: string): Record<string, unknown> {
  const { request } = call;
  const { shown } = request;
  const isHeard = call.state === 'established' && !call.isInLobby;
  return {
    '@odata.context': `${metadataUrl}#communications/calls/$entity`,
    '@odata.type': '#microsoft.graph.call',
    id: call.id,
    state: call.state,
    direction: request.isIncoming ? 'incoming' : 'outgoing',
    callbackUri: request.callbackUri,
    callChainId: call.callChainId,
    myParticipantId: call.myParticipantId,
    tenantId: request.tenantId,
    subject: null,
    source: {
      '@odata.type': '#microsoft.graph.participantInfo',
      identity: {
        '@odata.type': '#microsoft.graph.identitySet',
        [request.bot.kind]: {
          '@odata.type': '#microsoft.graph.identity',
          id: request.bot.id,
          displayName: request.bot.displayName ?? null,
        },
      },
    },
    targets: shown.targets,
    requestedModalities: request.requestedModalities,
    mediaConfig: shown.mediaConfig,
    mediaState: {
      '@odata.type': '#microsoft.graph.callMediaState',
      audio: isHeard ? 'active' : 'inactive',
    },
    chatInfo: shown.chatInfo,
    meetingInfo: shown.meetingInfo,
    callRoutes: [],
    callOptions: shown.callOptions,
    resultInfo: null,
    toneInfo: null,
    transcription: null,
    incomingContext: null,
    answeredBy: null,
    routingPolicies: [],
    ringingTimeoutInSeconds: null,
  };
}
