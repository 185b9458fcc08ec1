import pg from 'pg';
import { REQUEST_CHANNEL } from '../db/queries/request-progress.js';

/**
 * Hears which requests end, of the database itself: following hundreds of event streams would be load of another kind.
 * The result of each is read over HTTP all the same.
 */
export class CompletionWatch {
  readonly #waiting = new Map<number, () => void>();
  #asking: Promise<void> | null = null;
  #askAgain = false;

  private constructor(private readonly client: pg.Client) {
    client.on('notification', () => this.#ask());
  }

  static async open(databaseUrl: string): Promise<CompletionWatch> {
    const client = new pg.Client({ connectionString: databaseUrl });
    await client.connect();
    await client.query(`listen ${REQUEST_CHANNEL}`);
    return new CompletionWatch(client);
  }

  untilFinished(id: number): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve);
      this.#ask();
    });
  }

  /** Whoever still waits is never told. */
  async close(): Promise<void> {
    this.#waiting.clear();
    await this.#asking;
    await this.client.end();
  }

  /** One question at a time for everybody; what is told meanwhile is asked right after. */
  #ask(): void {
    this.#askAgain = true;
    if (this.#asking === null) this.#asking = this.#askWhileTold().finally(() => (this.#asking = null));
  }

  async #askWhileTold(): Promise<void> {
    while (this.#askAgain && this.#waiting.size > 0) {
      this.#askAgain = false;
      const { rows } = await this.client.query<{ id: string }>(
        `select id from work_request where id = any($1) and state in ('COMPLETED', 'FAILED', 'CANCELLED')`,
        [[...this.#waiting.keys()]],
      );
      for (const id of rows.map((row) => Number(row.id))) {
        this.#waiting.get(id)?.();
        this.#waiting.delete(id);
      }
    }
  }
}
