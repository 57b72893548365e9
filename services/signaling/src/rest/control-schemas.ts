import type { Digit } from '@earshot/dtmf';
import { DIGITS } from '@earshot/dtmf';
import { z } from 'zod';

/** Body of `POST /v1/calls/:id/tones`. */
export interface TonesBody {
  readonly tones: readonly Digit[];
  readonly delayMs?: number | undefined;
}

/** Body of `POST /v1/calls/:id/screen-sharing-role`. */
export interface ScreenSharingRoleBody {
  readonly role: 'viewer' | 'sharer';
}

/** Checks `TonesBody`. */
export const tonesBody: z.ZodType<TonesBody> = z.strictObject({
  tones: z.array(z.enum(DIGITS)).min(1).max(50).describe('Keys, in order'),
  delayMs: z.number().int().min(0).max(10_000).optional().describe('Pause between two of them'),
});

/** Checks `ScreenSharingRoleBody`. */
export const screenSharingRoleBody: z.ZodType<ScreenSharingRoleBody> = z.strictObject({
  role: z.enum(['viewer', 'sharer']).describe('Whether we see a screen or share one'),
});
