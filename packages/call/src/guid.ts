const GUID = /^\{?[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}\}?$/i;

/** Whether a text is a GUID, dashed or not. */
export function isGuid(text: string): boolean {
  return GUID.test(text);
}

/**
 * An id in the form to compare by: Graph writes GUIDs dashed in lower case and undashed in upper
 * case. Other texts are returned as they are.
 */
export function normalisedId(id: string): string {
  return isGuid(id) ? id.replace(/[{}-]/g, '').toLowerCase() : id;
}

/** Whether two ids mean the same thing, whatever their form. */
export function isSameGuid(a: string, b: string): boolean {
  return normalisedId(a) === normalisedId(b);
}
