import type { AudioRoutingGroup, AudioRoutingParams } from '@earshot/graph';
import { z } from 'zod';

/** A page of groups. */
export interface AudioRoutingGroupListView {
  readonly groups: readonly AudioRoutingGroup[];
  readonly nextCursor?: string | undefined;
}

const participantIds = z.array(z.string().min(1).max(200)).min(1).max(100);

const shape = {
  routingMode: z
    .enum(['oneToOne', 'multicast'])
    .describe('`oneToOne` has one source and one receiver, and both see it'),
  sources: participantIds.describe('Ids of participants who are heard'),
  receivers: participantIds.describe('Ids of participants who hear them'),
};

/** Checks the body of a group. */
export const audioRoutingBody: z.ZodType<AudioRoutingParams> = z.strictObject(shape);

/** Describes `AudioRoutingGroup`. */
export const audioRoutingGroupView: z.ZodType<AudioRoutingGroup> = z.object({
  id: z.string(),
  ...shape,
  sources: z.array(z.string()),
  receivers: z.array(z.string()),
});

/** Describes `AudioRoutingGroupListView`. */
export const audioRoutingGroupListView: z.ZodType<AudioRoutingGroupListView> = z.object({
  groups: z.array(audioRoutingGroupView),
  nextCursor: z.string().optional(),
});
