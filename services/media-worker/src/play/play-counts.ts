/** What became of the plays of a worker, since its start. */
export class PlayCounts {
  played = 0;
  cleared = 0;
  failed = 0;
}
