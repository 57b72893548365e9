/** Thrown for a duty that another process is doing: no failure, but to be looked at again. */
export class NotMine extends Error {
  override readonly name = 'NotMine';
}
