/** A line about what is going on; stdout stays the results'. */
export function say(text: string): void {
  process.stderr.write(`bench: ${text}\n`);
}
