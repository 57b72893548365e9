export { ProxyError, proxyErrorOf } from './proxy-error.js';
export type { ProxyFetch } from './proxy-fetch.js';
export { openProxyFetch } from './proxy-fetch.js';
export { proxyRoutes } from './proxy-routes.js';
export type { ProxySettings } from './proxy-settings.js';
export { NO_PROXIES, readProxySettings } from './proxy-settings.js';
export type { Tunnel } from './tunnel.js';
export { openTunnel } from './tunnel.js';
