import { html, nothing } from 'lit';
import { property, state } from 'lit/decorators.js';
import { listWorkRequests } from '../../client/api-client.js';
import { ApiError } from '../../client/api-error.js';
import type { WorkRequest, WorkRequestList } from '../../client/api-schemas.js';
import { controls } from '../../styles/controls.js';
import { tables } from '../../styles/tables.js';
import { tokens } from '../../styles/tokens.js';
import { formatCount } from '../../text/numbers.js';
import { formatAge, formatInstant } from '../../text/times.js';
import { ConnectedElement } from '../connected-element.js';
import { Loaded } from '../loaded.js';
import { errorNotice, loadingNotice, signedOutNotice } from '../notices.js';
import { stateBadge, stateBadgeStyles } from '../work-request-status/state-badge.js';
import { workRequestListStyles } from './work-request-list.styles.js';

/**
 * The person's own requests, newest first, page by page. Wide it is a table, narrow each request is a card.
 *
 * @slot empty - what to do when there is no request yet
 */
export class HubWorkRequestList extends ConnectedElement {
  static override styles = [tokens, controls, tables, stateBadgeStyles, workRequestListStyles];

  /** Address of a request's own page, with `{id}` in it; absent: no links. */
  @property({ attribute: 'request-href' }) requestHref: string | null = null;

  @state() private loadingMore = false;
  @state() private moreError: ApiError | null = null;

  private readonly pages = new Loaded<WorkRequestList>(this, (signal) =>
    listWorkRequests(this.connection, null, signal),
  );

  private hasOlder = false;

  /** Asks the hub again, from the newest. */
  async reload(): Promise<void> {
    this.moreError = null;
    this.hasOlder = false;
    if (this.isSignedIn) await this.pages.load();
  }

  override connectedCallback(): void {
    super.connectedCallback();
    document.addEventListener('visibilitychange', this.onVisible);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    document.removeEventListener('visibilitychange', this.onVisible);
  }

  protected override connectionChanged(): void {
    // Whatever comes next, nobody sees the requests of the person before.
    this.pages.clear();
    void this.reload();
  }

  /** Who went through older requests finds the place again; there is a button to reload. */
  private readonly onVisible = (): void => {
    if (document.visibilityState === 'visible' && !this.hasOlder) void this.reload();
  };

  private async loadMore(from: WorkRequestList): Promise<void> {
    this.loadingMore = true;
    this.moreError = null;
    try {
      const next = await listWorkRequests(this.connection, from.next_cursor);
      // A reload meanwhile begins the list anew; a page that follows an older one has no place in it.
      if (this.pages.value !== from) return;
      this.pages.value = { ...next, items: [...from.items, ...next.items] };
      this.hasOlder = true;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.moreError = error;
    } finally {
      this.loadingMore = false;
    }
  }

  protected override render() {
    const { value, error, loading } = this.pages;
    return html`
      ${error ? errorNotice(error, () => void this.reload()) : nothing}
      ${value ? this.renderList(value, loading) : nothing}
      ${!value && loading ? loadingNotice('Loading your requests …') : nothing}
      ${!this.isSignedIn ? signedOutNotice('see your requests') : nothing}
    `;
  }

  private renderList(list: WorkRequestList, loading: boolean) {
    if (list.items.length === 0)
      return html`<div class="notice" role="status">
        <p>You have no requests yet.</p>
        <slot name="empty"></slot>
      </div>`;
    return html`
      <div class="table-scroll">
        <table aria-busy=${loading}>
          <caption class="visually-hidden">
            Your requests, newest first
          </caption>
          <thead>
            <tr>
              <th scope="col">Request</th>
              <th scope="col">Model</th>
              <th scope="col">State</th>
              <th scope="col" class="number">Rows</th>
              <th scope="col">Submitted</th>
            </tr>
          </thead>
          <tbody>
            ${list.items.map((request) => this.renderRow(request))}
          </tbody>
        </table>
      </div>
      <div class="actions">
        <button type="button" ?disabled=${loading} @click=${() => void this.reload()}>
          ${loading ? 'Loading …' : 'Reload'}
        </button>
        ${list.next_cursor === null ? nothing : this.renderMore(list)}
      </div>
      ${this.moreError ? errorNotice(this.moreError) : nothing}
    `;
  }

  private renderMore(list: WorkRequestList) {
    return html`<button type="button" ?disabled=${this.loadingMore} @click=${() => void this.loadMore(list)}>
      ${this.loadingMore ? 'Loading …' : 'Older requests'}
    </button>`;
  }

  private renderRow(request: WorkRequest) {
    const { rows, rows_done } = request.progress;
    const isPart = rows_done > 0 && request.request_status !== 'COMPLETED';
    const name = `Request ${request.id}`;
    const href = this.requestHref?.replace('{id}', String(request.id));
    return html`
      <tr>
        <th scope="row">${href ? html`<a href=${href}>${name}</a>` : name}</th>
        <td data-label="Model"><code>${request.model_id}</code></td>
        <td data-label="State">${stateBadge(request.request_status)}</td>
        <td data-label="Rows" class="number">
          ${isPart ? `${formatCount(rows_done)} of ` : ''}${formatCount(rows || request.input_size)}
        </td>
        <td data-label="Submitted">
          <time datetime=${request.request_date} title=${formatInstant(request.request_date)}>
            ${formatAge(request.request_date, Date.now())}
          </time>
        </td>
      </tr>
    `;
  }
}
