import type { MeetingTarget } from '@earshot/call';
import { formatJoinUrl, isSameGuid, parseJoinUrl, parseMeetingId } from '@earshot/call';
import { Problem } from '../rest/problem.js';
import { joinUrlProblem, requestProblem } from './start-failures.js';

/** How a request names a meeting: by its join URL, or by number and passcode. */
export interface MeetingNames {
  readonly joinUrl?: string | undefined;
  readonly meetingId?: string | undefined;
  readonly passcode?: string | undefined;
  readonly tenantId?: string | undefined;
  /** Joins as a guest of this name. */
  readonly displayName?: string | undefined;
}

/** A meeting that can be joined. */
export interface Meeting {
  readonly target: MeetingTarget;
  readonly tenantId: string;
  readonly displayName: string | undefined;
  /** As it was given, or made of number and passcode: a secret. */
  readonly joinUrl: string;
}

/**
 * The meeting that a request names.
 *
 * @param defaultTenantId tenant of meetings that don't name one.
 * @throws Problem when it names none that can be joined.
 */
export function meetingOf(names: MeetingNames, defaultTenantId: string | undefined): Meeting {
  const target = targetOf(names);
  const { tenantId, displayName } = names;
  if (target.tenantId !== undefined && tenantId !== undefined) {
    if (!isSameGuid(target.tenantId, tenantId)) {
      throw new Problem(
        requestProblem('tenant_mismatch', "tenantId must be the join URL's tenant, got another"),
      );
    }
  }
  const joinUrl = names.joinUrl ?? formatJoinUrl(target);
  const tenant = target.tenantId ?? tenantId ?? defaultTenantId;
  if (tenant !== undefined) return { target, tenantId: tenant, displayName, joinUrl };
  throw new Problem(
    requestProblem(
      'missing_tenant',
      "a short join URL or a meeting id needs the meeting's tenant beside it, got none",
      'Send tenantId, or set GRAPH_TENANT_ID.',
    ),
  );
}

function targetOf({ joinUrl, meetingId, passcode }: MeetingNames): MeetingTarget {
  const parsed =
    joinUrl === undefined
      ? parseMeetingId({ meetingId: meetingId ?? '', passcode })
      : parseJoinUrl(joinUrl);
  if (!parsed.ok) throw new Problem(joinUrlProblem(parsed));
  return parsed.target;
}
