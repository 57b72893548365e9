import type { Registry } from '@earshot/registry';
import type { CallDriver } from './call-driver.js';
import type { CallWork } from './call-work.js';

/**
 * Ends the call whose audio its media host has lost: Teams offers no way to give a call new
 * media, so its leg is left, and joining again takes a new call.
 */
export async function endCallOfFailedMedia(
  parts: { registry: Registry; work: CallWork; driver: CallDriver },
  media: { hostId: string; mediaId: string },
): Promise<void> {
  const { registry, work, driver } = parts;
  for (const callId of await registry.openCalls()) {
    const record = await registry.readCall(callId);
    if (record?.hostId !== media.hostId || record.mediaId !== media.mediaId) continue;
    await work.end(callId, 'media_failed');
    driver.wake(callId);
  }
}
