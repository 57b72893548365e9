import { afterEach, describe, expect, it } from 'vitest';
import { HostStage } from './host-stage.js';

let stage: HostStage;

afterEach(() => stage.close());

describe('calls that are over', () => {
  it('are found by their ids, the last 20 of them', async () => {
    stage = await HostStage.open();
    const mediaIds: string[] = [];
    for (let n = 0; n < 25; n += 1) {
      const { mediaId, session } = stage.begin(`c_${n}`);
      mediaIds.push(mediaId);
      session.release();
    }
    const found = mediaIds.map((mediaId) => stage.host.find(mediaId) !== undefined);
    expect(found).toEqual(mediaIds.map((_, n) => n >= 5));
    expect(stage.host.find('c_24')?.mediaId).toBe(mediaIds[24]);
    expect(stage.host.find('c_4')).toBeUndefined();
  });
});
