export type { HostInfo } from './host-connection.js';
export type { HostLinkClientOptions, HostLinkHandlers } from './host-link-client.js';
export { HostLinkClient } from './host-link-client.js';
export type {
  AttachRequest,
  HostLinkServerOptions,
  HostMediaState,
  MediaAllocation,
} from './host-link-server.js';
export { HostLinkServer } from './host-link-server.js';
export type { LinkLog } from './link-log.js';
export type { MediaLinkClientHandlers, MediaLinkClientOptions } from './media-link-client.js';
export { MediaLinkClient } from './media-link-client.js';
export type {
  MediaControlMessage,
  MediaLinkClaims,
  MediaLinkHandlers,
  MediaLinkLimits,
  MediaLinkOpening,
  MediaLinkRefusal,
  MediaLinkServerOptions,
  MediaLinkSession,
} from './media-link-server.js';
export { MediaLinkServer } from './media-link-server.js';
export type { UpgradeHandler, UpgradeSource } from './upgrade-router.js';
export type { WayBackHandlers } from './way-back.js';
