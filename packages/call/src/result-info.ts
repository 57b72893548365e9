/** Why a call or an operation ended or failed (Graph: `microsoft.graph.resultInfo`). */
export interface ResultInfo {
  /** Like an HTTP status: 2xx normal, 4xx client or remote party, 5xx service. */
  readonly code: number;
  /** The number that tells the reason; 0 when none was given. */
  readonly subcode: number;
  /** Graph's text; may end with `DiagCode: …`. Not for people. */
  readonly message?: string;
}
