export type { AddressRulesOptions, ResolveAll } from './address-rules.js';
export { AddressRules } from './address-rules.js';
export type { AttemptOutcome } from './delivery-runner.js';
export { POST_TIMEOUT_MS } from './poster.js';
export type { RestOptions } from './retry.js';
export { RETRY_SCHEDULE_MS } from './retry.js';
export type { VerifiedWebhook, VerifyOptions } from './signature.js';
export { DEFAULT_TOLERANCE_MS, generateSecret, verifyWebhook } from './signature.js';
export type {
  Delivery,
  DeliveryStatus,
  DisableReason,
  Webhook,
  WebhookHealth,
  WebhookMessage,
  WebhookSecret,
} from './webhook.js';
export type { NewWebhook, WebhookState } from './webhook-admin.js';
export { WebhookAdmin } from './webhook-admin.js';
export type { WebhookLimits, WebhooksOptions } from './webhooks.js';
export { Webhooks } from './webhooks.js';
