import { z } from 'zod';

/** Body of `POST /communications/calls`, as far as the simulator reads it. */
export interface CallBody {
  readonly callbackUri: string;
  readonly requestedModalities: readonly string[];
  readonly mediaConfig: MediaConfigBody;
  readonly chatInfo?: { readonly threadId?: Text } | null | undefined;
  readonly meetingInfo?: MeetingInfoBody | null | undefined;
  readonly targets?: readonly TargetBody[] | null | undefined;
  readonly source?: { readonly identity?: IdentitySetBody | null | undefined } | null | undefined;
  readonly callOptions?:
    | { readonly isDeltaRosterEnabled?: boolean | null | undefined }
    | null
    | undefined;
  readonly tenantId?: Text;
}

export interface MediaConfigBody {
  readonly '@odata.type': string;
  readonly blob?: Text;
}

export interface MeetingInfoBody {
  readonly '@odata.type': string;
  readonly organizer?: { readonly user?: IdentityBody | null | undefined } | null | undefined;
  readonly joinMeetingId?: Text;
  readonly passcode?: Text;
  readonly token?: Text;
}

/** One of a body's `targets`, or of the `participants` to invite. */
export interface TargetBody {
  readonly identity?: IdentitySetBody | null | undefined;
}

export interface IdentitySetBody {
  readonly user?: IdentityBody | null | undefined;
  readonly phone?: IdentityBody | null | undefined;
  readonly guest?: IdentityBody | null | undefined;
  readonly applicationInstance?: IdentityBody | null | undefined;
}

export interface IdentityBody {
  readonly id?: Text;
  readonly displayName?: Text;
}

type Text = string | null | undefined;

const identity = z.looseObject({
  id: z.string().min(1).nullish(),
  displayName: z.string().nullish(),
});

const identitySet = z.looseObject({
  user: identity.nullish(),
  phone: identity.nullish(),
  guest: identity.nullish(),
  applicationInstance: identity.nullish(),
});

/** One of a body's `targets`. */
export const targetSchema: z.ZodType<TargetBody> = z.looseObject({
  identity: identitySet.nullish(),
});

/** What the simulator reads of a call's creation; what it does not read is checked by the CSDL. */
export const callSchema: z.ZodType<CallBody> = z.looseObject({
  '@odata.type': odataType('call').optional(),
  callbackUri: z.string(),
  requestedModalities: z.array(z.string()).min(1),
  mediaConfig: z.looseObject({ '@odata.type': z.string(), blob: z.string().nullish() }),
  chatInfo: z
    .looseObject({
      '@odata.type': odataType('chatInfo').optional(),
      threadId: z.string().nullish(),
      messageId: z.string().nullish(),
    })
    .nullish(),
  meetingInfo: z
    .looseObject({
      '@odata.type': z.string(),
      organizer: z.looseObject({ user: identity.nullish() }).nullish(),
      joinMeetingId: z.string().nullish(),
      passcode: z.string().nullish(),
      token: z.string().nullish(),
    })
    .nullish(),
  targets: z.array(targetSchema).nullish(),
  source: z.looseObject({ identity: identitySet.nullish() }).nullish(),
  callOptions: z.looseObject({ isDeltaRosterEnabled: z.boolean().nullish() }).nullish(),
  tenantId: z.string().nullish(),
});

/** Whether an `@odata.type` names `microsoft.graph.<name>`. */
export function isODataType(type: string | undefined, name: string): boolean {
  return type?.replace(/^#/, '') === `microsoft.graph.${name}`;
}

function odataType(name: string): z.ZodString {
  return z.string().regex(new RegExp(`^#?microsoft\\.graph\\.${name}$`), 'is of another type');
}
