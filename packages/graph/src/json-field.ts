/** An own property of what JSON.parse gave, undefined where there is none. */
export function jsonField(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null
    ? Object.getOwnPropertyDescriptor(value, name)?.value
    : undefined;
}
