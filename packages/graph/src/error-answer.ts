import { GraphError } from './graph-error.js';
import { jsonField } from './json-field.js';
import { retryAfterMs } from './retry-after.js';

const MAX_MESSAGE_CHARS = 300;
const MAX_DIAGNOSTIC_CHARS = 500;

interface ErrorBody {
  readonly code: string | undefined;
  readonly message: string | undefined;
  readonly requestId: string | undefined;
}

/** What a refusal of Graph tells, as an error. `action` reads after "Cannot", as in "join". */
export function errorOfAnswer(
  action: string,
  response: Response,
  text: string,
  clientRequestId: string,
): GraphError {
  const body = errorBody(text);
  const { status } = response;
  const numbers = resultNumbers(status, body);
  const said = body.message === undefined ? '' : `: ${body.message.slice(0, MAX_MESSAGE_CHARS)}`;
  return new GraphError(
    codeOfStatus(status),
    `Cannot ${action}: Graph must accept it, got ${status}${body.code === undefined ? '' : ` ${body.code}`}${said}`,
    {
      status,
      graphCode: body.code,
      ...numbers,
      retryAfterMs: retryAfterMs(response.headers.get('retry-after')),
      requestId: response.headers.get('request-id') ?? body.requestId,
      clientRequestId,
      diagnostic: response.headers.get('x-ms-ags-diagnostic')?.slice(0, MAX_DIAGNOSTIC_CHARS),
      mayHaveHappened: status >= 500,
    },
  );
}

function codeOfStatus(status: number): string {
  if (status === 429) return 'graph_throttled';
  return status >= 500 ? 'graph_failed' : 'graph_refused';
}

function errorBody(text: string): ErrorBody {
  const error = jsonField(parseJson(text), 'error');
  return {
    code: textOf(jsonField(error, 'code')),
    message: textOf(jsonField(error, 'message')),
    requestId: textOf(jsonField(jsonField(error, 'innerError'), 'request-id'))?.slice(0, 64),
  };
}

/** The calls API puts its subcode into `code`, or into the message as `…7504…` in some form. */
function resultNumbers(
  status: number,
  { code, message }: ErrorBody,
): { resultCode: number | undefined; subcode: number | undefined } {
  const inCode = /^\d{4,7}$/.exec(code ?? '')?.[0];
  const inMessage =
    /(?:sub[-_ ]?code|code)["':=\s#]+(\d{4,7})\b/i.exec(message ?? '')?.[1] ??
    /\b\d{3}[/#](\d{4,7})\b/.exec(message ?? '')?.[1];
  const subcode = inCode ?? inMessage;
  return subcode === undefined
    ? { resultCode: undefined, subcode: undefined }
    : { resultCode: status, subcode: Number(subcode) };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
