export { HTTP_LIMITS } from './http-limits.js';
export type { ListenAddress, Listener } from './listen.js';
export { listen, parseListenAddress, reachableAt } from './listen.js';
export type { Answer, RunningService, ServiceProcessOptions } from './run-service.js';
export { runService } from './run-service.js';
