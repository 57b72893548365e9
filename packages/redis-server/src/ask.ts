import { createConnection } from 'node:net';

const ANSWER_WITHIN_MS = 2_000;
const MAX_ANSWER_BYTES = 65_536;

/**
 * Sends one inline command (Redis serialization protocol) and returns the text of the answer
 * without its line end; undefined when nobody answers.
 */
export function ask(socketPath: string, command: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = createConnection(socketPath);
    let answer = '';
    const finish = (text: string | undefined) => {
      socket.destroy();
      resolve(text);
    };
    socket.setEncoding('utf8');
    socket.setTimeout(ANSWER_WITHIN_MS, () => finish(undefined));
    socket.on('error', () => finish(undefined));
    socket.on('close', () => finish(answer === '' ? undefined : answer));
    socket.on('connect', () => socket.write(`${command}\r\n`));
    socket.on('data', (text: string) => {
      answer += text;
      if (isWhole(answer)) finish(answer.trimEnd());
      else if (answer.length > MAX_ANSWER_BYTES) finish(undefined);
    });
  });
}

/** Simple strings and errors end with a line; bulk strings say how long they are. */
function isWhole(answer: string): boolean {
  const lineEnd = answer.indexOf('\r\n');
  if (lineEnd < 0) return false;
  if (!answer.startsWith('$')) return true;
  const length = Number(answer.slice(1, lineEnd));
  return Buffer.byteLength(answer) >= lineEnd + 2 + length + 2;
}
