export type { CallbackAuthOptions, CallbackVerdict } from './callback-auth.js';
export { CallbackAuth } from './callback-auth.js';
export type { CreateCallRequest } from './create-call-body.js';
export type { GraphEndpoints } from './endpoints.js';
export { GLOBAL_CLOUD } from './endpoints.js';
export type {
  CreatedCall,
  GraphCallsOptions,
  RecordingStatus,
  TokenSource,
} from './graph-calls.js';
export { GraphCalls } from './graph-calls.js';
export type { GraphErrorDetails } from './graph-error.js';
export { GraphError } from './graph-error.js';
export type { GraphTokensOptions } from './graph-tokens.js';
export { GraphTokens } from './graph-tokens.js';
