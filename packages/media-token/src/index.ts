export type {
  MediaTokenClaims,
  MediaTokenFailure,
  MediaTokenResult,
  MediaTokensOptions,
} from './media-tokens.js';
export { MediaTokens } from './media-tokens.js';
