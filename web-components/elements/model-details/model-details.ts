import { html, nothing } from 'lit';
import { property } from 'lit/decorators.js';
import { getModel } from '../../client/api-client.js';
import type { Model } from '../../client/api-schemas.js';
import { controls } from '../../styles/controls.js';
import { tables } from '../../styles/tables.js';
import { tokens } from '../../styles/tokens.js';
import { ConnectedElement } from '../connected-element.js';
import { Loaded } from '../loaded.js';
import { modelListStyles } from '../model-list/model-list.styles.js';
import { errorNotice, loadingNotice, signedOutNotice } from '../notices.js';
import { modelDescription, modelSummary, modelTitle, whyUnavailable } from './model-description.js';

/** One model in full: what it computes, its columns with units, how to read and cite it. */
export class HubModelDetails extends ConnectedElement {
  static override styles = [tokens, controls, tables, modelListStyles];

  /** Id of the model. */
  @property({ attribute: 'model-id' }) modelId: string | null = null;

  private readonly model = new Loaded(this, (signal) =>
    getModel(this.connection, this.modelId ?? '', signal),
  );
  private loadedId: string | null = null;

  protected override connectionChanged(): void {
    this.loadedId = null;
  }

  protected override willUpdate(changed: Map<PropertyKey, unknown>): void {
    super.willUpdate(changed);
    if (!this.isSignedIn || this.modelId === null || this.modelId === this.loadedId) return;
    this.loadedId = this.modelId;
    this.model.clear();
    void this.model.load();
  }

  protected override render() {
    const { value, error, loading } = this.model;
    return html`
      ${error && !value ? html`<h1>Model ${this.modelId}</h1>` : nothing}
      ${error ? errorNotice(error, () => void this.model.load()) : nothing}
      ${value ? this.renderModel(value) : nothing}
      ${!value && loading ? loadingNotice('Loading the model …') : nothing}
      ${!this.isSignedIn ? signedOutNotice('see this model') : nothing}
    `;
  }

  private renderModel(model: Model) {
    const unavailable = whyUnavailable(model);
    return html`
      <div class="details">
        <h1>${modelTitle(model)}</h1>
        <code class="muted">${model.id}</code>
        <p>${modelSummary(model)}</p>
        ${unavailable ? html`<p class="notice warn">${unavailable}</p>` : nothing} ${modelDescription(model)}
      </div>
    `;
  }
}
