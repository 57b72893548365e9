/** A line of JSON from the log as one line for people: `09:30:01 warn  signaling: text {…}`. */
export function prettyLine(line: string): string {
  const { level, time, service, msg, ...fields }: Record<string, unknown> = JSON.parse(line);
  const shownTime = String(time).slice(11, 19);
  const shownFields = Object.keys(fields).length === 0 ? '' : ` ${JSON.stringify(fields)}`;
  return `${shownTime} ${String(level).padEnd(5)} ${service}: ${msg}${shownFields}\n`;
}
