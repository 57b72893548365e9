export type {
  MediaTokenClaims,
  MediaTokenFailure,
  MediaTokenResult,
  MediaTokensOptions,
  MediaTokenUse,
  VerifiedMediaToken,
} from './media-tokens.js';
export { MediaTokens } from './media-tokens.js';
