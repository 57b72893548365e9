export type { RateLimit } from './rate-limit.js';
export { parseRateLimit } from './rate-limit.js';
export type { RateLimiterOptions, RateVerdict } from './rate-limiter.js';
export { RateLimiter } from './rate-limiter.js';
