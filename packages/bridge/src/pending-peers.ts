/** How an IPv6 socket spells an IPv4 peer (RFC 4291 §2.5.5.2). */
const MAPPED_IPV4 = /^::ffff:(?=\d+\.)/i;

/**
 * Counts, by network address, the connections that are open and not yet welcomed, so that nobody
 * holds many without saying who they are. Beyond the bound it refuses; nobody waits in line.
 */
export class PendingPeers {
  readonly #maxPerAddress: number;
  readonly #counts = new Map<string, number>();

  constructor(maxPerAddress: number) {
    this.#maxPerAddress = maxPerAddress;
  }

  /** Addresses with a connection that is not yet welcomed. */
  get addresses(): number {
    return this.#counts.size;
  }

  /**
   * A connection of this address begins.
   *
   * @returns to be called when it is welcomed or over, any number of times; undefined when the
   * address has too many.
   */
  enter(remoteAddress: string | undefined): (() => void) | undefined {
    const address = (remoteAddress ?? '').replace(MAPPED_IPV4, '');
    const count = this.#counts.get(address) ?? 0;
    if (count >= this.#maxPerAddress) return undefined;
    this.#counts.set(address, count + 1);
    let isInside = true;
    return () => {
      if (!isInside) return;
      isInside = false;
      this.#leave(address);
    };
  }

  #leave(address: string): void {
    const count = this.#counts.get(address) ?? 0;
    if (count > 1) this.#counts.set(address, count - 1);
    else this.#counts.delete(address);
  }
}
