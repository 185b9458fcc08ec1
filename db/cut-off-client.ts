import pg from 'pg';

/** What the driver says of a statement that got no answer in time; it has no code. */
const isUnanswered = (error: unknown) => error instanceof Error && error.message === 'Query read timeout';

/**
 * A connection that is closed when a statement on it got no answer in time. The driver would keep it: the statement may
 * still be under way, and whoever got the connection next would wait behind it.
 */
export class CutOffClient extends pg.Client {
  // oxlint-disable-next-line typescript/no-explicit-any -- one body for all forms of the call
  override query(...parameters: any[]): any {
    const answer: unknown = super.query(...(parameters as [string]));
    // Calls with a callback are the pool's own, which closes a connection after any error.
    if (answer instanceof Promise) answer.catch((error: unknown) => this.#closeIf(isUnanswered(error)));
    return answer;
  }

  #closeIf(unanswered: boolean): void {
    if (unanswered) void this.end();
  }
}
