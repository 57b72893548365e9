import type { CsdlProperty, CsdlType } from './csdl.js';

const TEXT: CsdlProperty = { type: 'Edm.String' };
const FLAG: CsdlProperty = { type: 'Edm.Boolean' };
const IDENTITY: CsdlProperty = { type: 'identity' };

/**
 * Properties that Graph's documents, its beta metadata or its payloads show, but v1.0 metadata
 * lacks.
 */
export const MORE_PROPERTIES: Readonly<Record<string, Readonly<Record<string, CsdlProperty>>>> = {
  // Declared in beta; the v1.0 documents send it.
  mediaConfig: { removeFromDefaultAudioGroup: FLAG },
  // Declared in beta on the abstract type; the v1.0 documents send it with an organiser.
  meetingInfo: { allowConversationWithoutHost: FLAG },
  // Declared in beta; leaks into v1.0 payloads.
  call: {
    activeModalities: { type: 'modality', isCollection: true },
    answeredBy: { type: 'participantInfo' },
    ringingTimeoutInSeconds: { type: 'Edm.Int32' },
    routingPolicies: { type: 'Edm.String', isCollection: true },
    terminationReason: TEXT,
  },
  participant: { isIdentityAnonymized: FLAG, preferredDisplayName: TEXT },
  // `id` names the participant in incoming calls (Graph: call-answer); the rest is of beta.
  participantInfo: {
    id: TEXT,
    platformId: TEXT,
    nonAnonymizedIdentity: { type: 'identitySet' },
  },
  // Payloads and documents give the facets of `communicationsIdentitySet` as `identitySet`.
  identitySet: {
    applicationInstance: IDENTITY,
    assertedIdentity: IDENTITY,
    azureCommunicationServicesUser: IDENTITY,
    encrypted: IDENTITY,
    endpointType: { type: 'endpointType' },
    guest: IDENTITY,
    onPremises: IDENTITY,
    phone: IDENTITY,
  },
  // On the wire for every identity of Entra ID.
  identity: { tenantId: TEXT, identityProvider: TEXT },
  commsNotification: { resource: TEXT, callbackUri: TEXT },
};

/** Types that documents and payloads show, but v1.0 metadata lacks. */
export const MORE_TYPES: Readonly<Record<string, CsdlType>> = {
  // A delta roster; its envelope is not documented.
  deltaParticipants: {
    properties: {
      sequenceNumber: { type: 'Edm.Int64', isRequired: true },
      participants: { type: 'participant', isCollection: true, isRequired: true },
    },
  },
  // Answers to a `participantJoiningNotification`.
  acceptJoinResponse: { base: 'participantJoiningResponse' },
  rejectJoinResponse: {
    base: 'participantJoiningResponse',
    properties: { reason: { type: 'rejectReason' } },
  },
  inviteNewBotResponse: {
    base: 'participantJoiningResponse',
    properties: { inviteUri: { type: 'Edm.String', isRequired: true } },
  },
};

/** Members that only the service uses. */
export const MORE_MEMBERS: Readonly<Record<string, readonly string[]>> = {
  callState: ['ringing'],
  modality: ['unknown'],
};
