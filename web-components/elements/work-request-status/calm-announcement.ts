/** So long what was read out stands before a newer reason or place in line is, in ms. */
const restMs = 30_000;

/**
 * What a screen reader is told of a request: each step at once, with the first thing that is known of it. Within a step
 * the place in line may change every few seconds: that is told twice a minute at most.
 */
export class CalmAnnouncement {
  private step = '';
  private detail: string | null = null;
  private saidAtMs = -Infinity;

  /** The text to stand in the live region now. */
  say(step: string, detail: string | null, nowMs: number): string {
    const isNews = step !== this.step || this.detail === null || nowMs - this.saidAtMs >= restMs;
    if (isNews && (step !== this.step || detail !== this.detail)) {
      this.step = step;
      this.detail = detail;
      this.saidAtMs = nowMs;
    }
    return [this.step, this.detail].filter(Boolean).join(' ');
  }
}
