import { html, nothing } from 'lit';
import { property, state } from 'lit/decorators.js';
import { listModels } from '../../client/api-client.js';
import type { Model } from '../../client/api-schemas.js';
import { controls } from '../../styles/controls.js';
import { tables } from '../../styles/tables.js';
import { tokens } from '../../styles/tokens.js';
import { countOf } from '../../text/numbers.js';
import { ConnectedElement } from '../connected-element.js';
import { Loaded } from '../loaded.js';
import { errorNotice, loadingNotice, signedOutNotice } from '../notices.js';
import {
  modelDescription,
  modelSummary,
  modelTitle,
  whyUnavailable,
} from '../model-details/model-description.js';
import { modelListStyles } from './model-list.styles.js';

/**
 * The models of a hub: what each computes, its columns with units, citation and size. With `selectable` it is a group
 * of radio buttons, so arrow keys choose.
 *
 * @fires hub-model-selected - the person chose a model; detail: `{ model: Model }`
 */
export class HubModelList extends ConnectedElement {
  static override styles = [tokens, controls, tables, modelListStyles];

  /** Id of the chosen model. */
  @property() selected: string | null = null;
  /** Can one be chosen? */
  @property({ type: Boolean }) selectable = false;
  /** Address of a model's own page, with `{id}` in it; absent: no links. */
  @property({ attribute: 'model-href' }) modelHref: string | null = null;

  private readonly models = new Loaded(this, (signal) => listModels(this.connection, signal));
  private hubUrl: string | null = null;
  /** Ids of models whose description was opened: hundreds of them at once would make the page heavy. */
  @state() private opened: readonly string[] = [];

  /** Asks the hub again. */
  async reload(): Promise<void> {
    if (this.isSignedIn) await this.models.load();
  }

  protected override connectionChanged(): void {
    // Models are the same for everybody, but not at another hub.
    if (this.hubUrl !== this.connection.baseUrl) this.models.clear();
    this.hubUrl = this.connection.baseUrl;
    void this.reload();
  }

  private select(model: Model): void {
    this.selected = model.id;
    this.dispatchEvent(new CustomEvent('hub-model-selected', { detail: { model } }));
  }

  private open({ id }: Model): void {
    if (!this.opened.includes(id)) this.opened = [...this.opened, id];
  }

  protected override render() {
    const { value, error, loading } = this.models;
    const retry = () => void this.models.load();
    return html`
      ${error ? errorNotice(error, retry) : nothing} ${value ? this.renderModels(value.items) : nothing}
      ${!value && loading ? loadingNotice('Loading the models …') : nothing}
      ${!value && !loading && !this.isSignedIn ? signedOutNotice('see the models') : nothing}
    `;
  }

  private renderModels(models: readonly Model[]) {
    if (models.length === 0)
      return html`<p class="notice" role="status">
        This hub has no models yet. An administrator can add one.
      </p>`;
    const items = models.map((model) => this.renderModel(model));
    if (!this.selectable)
      return html`<ul class="list" role="list">
        ${items.map((item) => html`<li>${item}</li>`)}
      </ul>`;
    return html`
      <fieldset class="list">
        <legend class="visually-hidden">Model</legend>
        ${items}
      </fieldset>
    `;
  }

  private renderModel(model: Model) {
    const unavailable = whyUnavailable(model);
    const isSelected = this.selectable && this.selected === model.id;
    return html`
      <article class=${isSelected ? 'model selected' : 'model'}>
        ${this.renderTitle(model, unavailable !== null)}
        <p class="summary">${modelSummary(model)}</p>
        ${unavailable ? html`<p class="small unavailable">${unavailable}</p>` : nothing}
        <details @toggle=${() => this.open(model)}>
          <summary>${countOf(model.details.columns.length, 'column')}, source and size</summary>
          ${
            this.opened.includes(model.id)
              ? html`<div class="details">${modelDescription(model)}</div>`
              : nothing
          }
        </details>
      </article>
    `;
  }

  private renderTitle(model: Model, isUnavailable: boolean) {
    const title = modelTitle(model);
    const name = html`<span class="title">${title}</span> <code class="muted">${model.id}</code>`;
    if (this.selectable)
      return html`
        <label class="choice">
          <input
            type="radio"
            name="model"
            .value=${model.id}
            .checked=${this.selected === model.id}
            ?disabled=${isUnavailable}
            @change=${() => this.select(model)}
          />
          <span>${name}</span>
        </label>
      `;
    if (this.modelHref === null) return html`<p>${name}</p>`;
    return html`<p><a href=${this.modelHref.replace('{id}', encodeURIComponent(model.id))}>${name}</a></p>`;
  }
}
