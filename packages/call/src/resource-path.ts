/** `/communications/calls/{id}/…`, the older `/app/calls/…`, whole URLs and key segments. */
const RESOURCE = /(?:^|\/)(?:app|communications)\/calls(?:\/|\(')([^/?#')]+)(?:'\))?([^?#]*)/i;

/** Where a notification's resource lies: the call's id, and what comes behind it. */
export function resourcePathOf(
  resource: string | undefined,
  resourceUrl: string | undefined,
): { readonly graphCallId: string; readonly suffix: string } | undefined {
  const place = RESOURCE.exec(resourceUrl ?? '') ?? RESOURCE.exec(resource ?? '');
  const graphCallId = place?.[1];
  return graphCallId === undefined ? undefined : { graphCallId, suffix: place?.[2] ?? '' };
}

/** The call that an unchecked notification names. */
export function graphCallIdOf(item: Readonly<Record<string, unknown>>): string | undefined {
  return resourcePathOf(textOf(item['resource']), textOf(item['resourceUrl']))?.graphCallId;
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
