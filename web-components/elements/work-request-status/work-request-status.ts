import { html, nothing, type PropertyValues } from 'lit';
import { property, query, state } from 'lit/decorators.js';
import { cancelWorkRequest } from '../../client/api-client.js';
import { ApiError } from '../../client/api-error.js';
import type { WorkRequest } from '../../client/api-schemas.js';
import { downloadResult, readFirstRows, type ResultFormat, resultFormats } from '../../client/results.js';
import { controls } from '../../styles/controls.js';
import { tables } from '../../styles/tables.js';
import { tokens } from '../../styles/tokens.js';
import { countOf, formatCount } from '../../text/numbers.js';
import { formatAge, formatDuration, formatInstant } from '../../text/times.js';
import { ConnectedElement } from '../connected-element.js';
import { Loaded } from '../loaded.js';
import { errorNotice, loadingNotice, signedOutNotice } from '../notices.js';
import { CalmAnnouncement } from './calm-announcement.js';
import { LiveRequest } from './live-request.js';
import { resultPreview } from './result-preview.js';
import { stateBadge, stateBadgeStyles } from './state-badge.js';
import { isFinished, tellTimeline } from './tell-timeline.js';
import { timelineView } from './timeline-view.js';
import { workRequestStatusStyles } from './work-request-status.styles.js';

const previewRows = 10;

/**
 * One work request as it happens: its steps, rows done, what it waits for; cancelling; and, when it has ended, the first
 * rows and the downloads of what was computed.
 *
 * @fires hub-work-request-finished - the request came to its end while it was shown; bubbles; detail:
 *   `{ id: number, status: 'COMPLETED' | 'FAILED' | 'CANCELLED' }`
 */
export class HubWorkRequestStatus extends ConnectedElement {
  static override styles = [tokens, controls, tables, stateBadgeStyles, workRequestStatusStyles];

  /** Number of the request. */
  @property({ attribute: 'request-id', type: Number }) requestId: number | null = null;

  @state() private nowMs = Date.now();
  @state() private actionError: ApiError | null = null;
  @state() private downloading: ResultFormat | null = null;
  @query('dialog') private readonly dialog!: HTMLDialogElement;

  private readonly live = new LiveRequest(this);
  private readonly announcement = new CalmAnnouncement();
  private readonly preview = new Loaded(this, (signal) =>
    readFirstRows(this.connection, this.requestId ?? 0, previewRows, signal),
  );
  private clock: ReturnType<typeof setInterval> | undefined;
  private isFollowing = false;
  private wasRunning = false;

  override connectedCallback(): void {
    super.connectedCallback();
    this.clock = setInterval(() => this.tick(), 1000);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearInterval(this.clock);
  }

  protected override connectionChanged(): void {
    this.isFollowing = false;
  }

  protected override willUpdate(changed: Map<PropertyKey, unknown>): void {
    super.willUpdate(changed);
    if (!changed.has('requestId') && this.isFollowing) return;
    this.isFollowing = true;
    this.wasRunning = false;
    this.actionError = null;
    this.preview.clear();
    const id = this.requestId;
    this.live.follow(this.isSignedIn && id !== null ? { hub: this.connection, id } : null);
  }

  /** What had the keyboard may go with the state it belongs to; then the heading has it. */
  protected override update(changed: PropertyValues): void {
    const before = this.shadowRoot?.activeElement;
    super.update(changed);
    if (before && !before.isConnected) this.renderRoot.querySelector('h1')?.focus();
  }

  protected override updated(): void {
    const { request } = this.live;
    if (request === null) return;
    if (!isFinished(request)) this.wasRunning = true;
    else this.onEnd(request);
  }

  private onEnd(request: WorkRequest): void {
    const { value, loading, error } = this.preview;
    if (hasResult(request) && !value && !loading && !error) void this.preview.load();
    if (!this.wasRunning) return;
    this.wasRunning = false;
    const detail = { id: request.id, status: request.request_status };
    this.dispatchEvent(
      new CustomEvent('hub-work-request-finished', { detail, bubbles: true, composed: true }),
    );
  }

  private tick(): void {
    const { request, connection } = this.live;
    if (request && connection !== 'ended' && document.visibilityState === 'visible') this.nowMs = Date.now();
  }

  private async act(work: () => Promise<void>): Promise<void> {
    this.actionError = null;
    try {
      await work();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.actionError = error;
    }
  }

  private readonly onCancelAnswered = (): void => {
    if (this.dialog.returnValue !== 'cancel-request') return;
    this.dialog.returnValue = '';
    void this.act(async () => this.live.take(await cancelWorkRequest(this.connection, this.requestId ?? 0)));
  };

  private async download(format: ResultFormat): Promise<void> {
    this.downloading = format;
    await this.act(async () => {
      const file = await downloadResult(this.connection, this.requestId ?? 0, format);
      saveFile(file.name, file.content);
    });
    this.downloading = null;
  }

  protected override render() {
    const { request, error } = this.live;
    if (request) return this.renderRequest(request);
    if (error)
      return html`<h1>Request ${this.requestId}</h1>
        ${errorNotice(error, () => this.live.restart())}`;
    if (!this.isSignedIn) return signedOutNotice('see this request');
    return loadingNotice('Loading the request …');
  }

  private renderRequest(request: WorkRequest) {
    const steps = tellTimeline(request, this.live.events, this.live.workflow);
    const current = steps.find(({ state }) => state === 'current' || state === 'failed');
    const step = `Request ${request.id}: ${current?.name ?? 'Done'}.`;
    return html`
      <header class="head">
        <div>
          <h1 tabindex="-1">Request ${request.id}</h1>
          <p class="muted">
            ${countOf(request.progress.rows || request.input_size, 'row')} for
            <code>${request.model_id}</code>
          </p>
        </div>
        <div class="now">${stateBadge(request.request_status)} ${this.renderElapsed(request)}</div>
      </header>
      <p class="visually-hidden" role="status">
        ${this.announcement.say(step, current?.detail ?? null, Date.now())}
      </p>
      ${this.renderFreshness()} ${this.renderFailure(request)}
      ${this.actionError ? errorNotice(this.actionError) : nothing}
      <div class=${hasResult(request) ? 'body with-result' : 'body'}>
        ${this.renderStory(steps, request)}
        ${isFinished(request) ? this.renderResult(request) : this.renderCancel(request)}
      </div>
    `;
  }

  private renderElapsed(request: WorkRequest) {
    const end = isFinished(request)
      ? Date.parse(request.processed_timestamp ?? request.last_updated)
      : this.nowMs;
    const elapsed = formatDuration(end - Date.parse(request.request_date));
    return html`<span class="muted small" title=${`Submitted ${formatInstant(request.request_date)}`}
      >${isFinished(request) ? `took ${elapsed}` : `${elapsed} since submission`}</span
    >`;
  }

  /** Data that may be old says how old it is; it stays to be read. */
  private renderFreshness() {
    const { connection, heardAtMs, error } = this.live;
    if (!this.live.isLost && connection !== 'paused' && !error) return nothing;
    const age = formatAge(new Date(heardAtMs).toISOString(), this.nowMs);
    if (error && connection === 'ended') return errorNotice(error, () => this.live.restart());
    return html`
      <div class="notice warn stale">
        <p role="status">
          ${connection === 'paused' ? 'Paused while the page is hidden.' : 'Not connected; trying again.'}
          What is shown may be old.
        </p>
        <p class="small">Last heard from the hub ${age}.</p>
        <button type="button" @click=${() => this.live.restart()}>Connect now</button>
      </div>
    `;
  }

  private renderFailure(request: WorkRequest) {
    if (request.request_status !== 'FAILED') return nothing;
    return html`<div class="notice bad" role="alert">
      <p><strong>The request failed.</strong> ${request.request_status_reason}</p>
    </div>`;
  }

  private renderStory(steps: ReturnType<typeof tellTimeline>, request: WorkRequest) {
    const shown = steps.map((step) => (step.name === 'Failed' ? { ...step, detail: null } : step));
    const link = this.live.workflow?.temporal_url;
    return html`
      <section class="story" aria-label="Progress">
        ${timelineView(shown, request)}
        ${link ? html`<p class="small"><a href=${link} rel="noreferrer">Workflow, for operators</a></p>` : nothing}
      </section>
    `;
  }

  private renderCancel(request: WorkRequest) {
    const { rows, rows_done } = request.progress;
    return html`
      <div>
        <button class="danger" type="button" @click=${() => this.dialog.showModal()}>Cancel request …</button>
      </div>
      <dialog aria-labelledby="dialog-title" @close=${this.onCancelAnswered}>
        <form method="dialog">
          <h2 id="dialog-title">Cancel request ${request.id}?</h2>
          <p>
            ${rows_done > 0 ? `${formatCount(rows_done)} of ${countOf(rows, 'row')} are computed. ` : ''}The
            rest will not be computed. This cannot be undone.
          </p>
          <div class="actions">
            <button value="keep" autofocus>Keep it running</button>
            <button class="danger" value="cancel-request">Cancel the request</button>
          </div>
        </form>
      </dialog>
    `;
  }

  private renderResult(request: WorkRequest) {
    const { value, error, loading } = this.preview;
    if (!hasResult(request)) return nothing;
    return html`
      <section class="result" aria-labelledby="result-title">
        ${resultTitle(request)}
        <div class="actions">
          ${resultFormats.map(
            (format, index) =>
              html`<button
                class=${index === 0 ? 'primary' : ''}
                type="button"
                ?disabled=${this.downloading !== null}
                @click=${() => void this.download(format)}
              >
                ${this.downloading === format ? 'Downloading …' : `Download ${format.toUpperCase()}`}
              </button>`,
          )}
        </div>
        ${value ? resultPreview(value, request.progress.rows) : nothing}
        ${loading ? loadingNotice('Loading the first rows …') : nothing}
        ${error ? errorNotice(error, () => void this.preview.load()) : nothing}
      </section>
    `;
  }
}

/** Is there a result to read? What was computed before a request failed or was cancelled is kept, too. */
function hasResult(request: WorkRequest): boolean {
  return request.request_status === 'COMPLETED' || (isFinished(request) && request.progress.rows_done > 0);
}

function resultTitle({ request_status, progress }: WorkRequest) {
  if (request_status === 'COMPLETED') return html`<h2 id="result-title">Result</h2>`;
  const ended = request_status === 'FAILED' ? 'failed' : 'was cancelled';
  return html`
    <div>
      <h2 id="result-title">
        Partial result: ${formatCount(progress.rows_done)} of ${countOf(progress.rows, 'row')}
      </h2>
      <p class="muted">
        These were done before the request ${ended}. Every row is in the file; the others have no values and
        the status <code>not_run</code>.
      </p>
    </div>
  `;
}

/** Hands a file to the browser's downloads. */
function saveFile(name: string, content: Blob): void {
  const address = URL.createObjectURL(content);
  const anchor = Object.assign(document.createElement('a'), { href: address, download: name });
  anchor.click();
  // The browser has taken the blob over once the click is dealt with.
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
