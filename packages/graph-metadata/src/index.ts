export type { CheckOptions } from './check.js';
export { checkAction, checkType, faultText } from './check.js';
export type { MetadataFault } from './metadata-fault.js';
