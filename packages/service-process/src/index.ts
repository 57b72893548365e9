export type { ProxyFetch, ProxySettings } from '@earshot/proxy';
export { NO_PROXIES, openProxyFetch, readProxySettings } from '@earshot/proxy';
export { HTTP_LIMITS } from './http-limits.js';
export type { ListenAddress, Listener } from './listen.js';
export { listen, parseListenAddress, reachableAt } from './listen.js';
export type { Answer, RunningService, ServiceProcessOptions } from './run-service.js';
export { runService } from './run-service.js';
