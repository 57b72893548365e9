import type { CallMedia } from './simulated-call.js';

/** Graph has the audio of service-hosted calls: nothing of it reaches a media host. */
export const SILENT_MEDIA: CallMedia = {
  begin() {},
  end() {},
  hasRoom: () => true,
  join() {},
  leave() {},
  frame() {},
  tick() {},
  missing() {},
  flush() {},
};
