import { html, nothing, type PropertyValues } from 'lit';
import { property, query, state } from 'lit/decorators.js';
import { checkInput, type InputReading, submitInput } from '../../client/api-client.js';
import { ApiError } from '../../client/api-error.js';
import type { Model } from '../../client/api-schemas.js';
import { controls } from '../../styles/controls.js';
import { tables } from '../../styles/tables.js';
import { tokens } from '../../styles/tokens.js';
import { formatBytes } from '../../text/numbers.js';
import { openStore } from '../browser-store.js';
import { ConnectedElement } from '../connected-element.js';
import { Loaded } from '../loaded.js';
import { errorNotice, signedOutNotice } from '../notices.js';
import { type InputDraft, readDraft, writeDraft } from './input-draft.js';
import { verdictSentence, verdictView } from './verdict-view.js';
import { workRequestFormStyles } from './work-request-form.styles.js';

/** How long typing has to rest before the hub is asked, in ms. */
const restMs = 350;
/** The longest text that is put into the text field, in characters: in a longer one every key makes the page stutter. */
const longestTyped = 500_000;
const automatic: InputReading = { header: 'auto', column: null };
const example = `smiles,name
CC(=O)Oc1ccccc1C(=O)O,aspirin
Cn1c(=O)c2c(ncn2C)n(C)c1=O,caffeine
CC(=O)Nc1ccc(O)cc1,paracetamol
CC(C)Cc1ccc(cc1)C(C)C(=O)O,ibuprofen
C[C@@H]1CC[C@H]2[C@@H](C)C(=O)O[C@@H]3O[C@@]4(C)CC[C@@H]1[C@@]23OO4,artemisinin
`;

/**
 * Takes molecules by paste, drop or file, shows what the hub makes of them, and submits them to a model. The hub alone
 * reads the input; a file goes from disk to the hub without being read into the page.
 *
 * @fires hub-work-request-submitted - the hub accepted the request; bubbles; detail: `{ id: number }`
 */
export class HubWorkRequestForm extends ConnectedElement {
  static override styles = [tokens, controls, tables, workRequestFormStyles];

  /** Id of the model to run; absent: the person picks one. */
  @property({ attribute: 'model-id' }) modelId: string | null = null;
  /** Keep what was typed in session storage under this name; absent: it is kept while the element lives. */
  @property({ attribute: 'draft-key' }) draftKey: string | null = null;

  @state() private picked: string | null = null;
  @state() private text = '';
  @state() private file: File | null = null;
  @state() private reading: InputReading = automatic;
  @state() private sending = false;
  @state() private isDropTarget = false;
  @state() private submitError: ApiError | null = null;
  /** What is missing before anything can be sent, or null. */
  @state() private missing: string | null = null;
  @query('#file') private readonly fileInput!: HTMLInputElement;

  private readonly verdict = new Loaded(this, (signal) =>
    checkInput(this.connection, this.chosenModel, { content: this.content, ...this.reading }, signal),
  );
  private restTimer: ReturnType<typeof setTimeout> | undefined;
  private store: Storage | null = null;

  private get chosenModel(): string | null {
    return this.modelId ?? this.picked;
  }

  private get content(): string | File {
    return this.file ?? this.text;
  }

  private get isEmpty(): boolean {
    return this.file === null && this.text.trim() === '';
  }

  override connectedCallback(): void {
    super.connectedCallback();
    if (this.draftKey === null) return;
    this.store = openStore('sessionStorage');
    const draft = readDraft(this.store, this.draftKey);
    if (draft) [this.text, this.picked] = [draft.text, draft.modelId];
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearTimeout(this.restTimer);
  }

  /** Forgets what was typed and chosen: it is nobody else's business. */
  clear(): void {
    this.picked = null;
    this.forgetInput();
  }

  private forgetInput(): void {
    this.text = '';
    this.setFile(null);
    this.keepDraft(null);
  }

  protected override connectionChanged(): void {
    if (this.isSignedIn) this.check();
  }

  protected override updated(changed: PropertyValues): void {
    if (changed.has('text') || changed.has('picked'))
      this.keepDraft({ text: this.text, modelId: this.picked });
  }

  private keepDraft(draft: InputDraft | null): void {
    if (this.draftKey !== null) writeDraft(this.store, this.draftKey, draft);
  }

  /** Asks the hub what it makes of the input, after a rest. */
  private check(afterMs = 0): void {
    clearTimeout(this.restTimer);
    this.missing = null;
    this.submitError = null;
    if (this.isEmpty || !this.isSignedIn) return this.verdict.clear();
    this.restTimer = setTimeout(() => void this.verdict.load(), afterMs);
  }

  private setText(text: string, afterMs: number): void {
    if (text.trim() === '') this.reading = automatic;
    this.text = text;
    this.check(afterMs);
  }

  private setFile(file: File | null): void {
    this.file = file;
    this.reading = automatic;
    this.verdict.clear();
    this.check();
  }

  private changeReading(change: Partial<InputReading>): void {
    this.reading = { ...this.reading, ...change };
    this.check();
  }

  private readonly onPick = (event: CustomEvent<{ model: Model }>): void => {
    this.picked = event.detail.model.id;
    this.check();
  };

  private readonly onDrop = (event: DragEvent): void => {
    this.isDropTarget = false;
    const [file, ...others] = event.dataTransfer?.files ?? [];
    // Dropped text goes into the text field as the browser does it.
    if (!file) return;
    event.preventDefault();
    if (others.length === 0) this.setFile(file);
    else this.missing = 'Drop one file at a time; a request has one input.';
  };

  private readonly onDrag = (event: DragEvent): void => {
    if (!event.dataTransfer?.types.includes('Files')) return;
    event.preventDefault();
    const isInside = (event.currentTarget as Node).contains(event.relatedTarget as Node | null);
    this.isDropTarget = event.type === 'dragover' || isInside;
  };

  private readonly onFilePicked = (): void => {
    const file = this.fileInput.files?.[0] ?? null;
    // The same file can be picked again after it changed on disk.
    this.fileInput.value = '';
    if (!file) return;
    this.setFile(file);
    this.moveFocus('.file button');
  };

  /** Gives the keyboard to what took the place of the control that was pressed and went. */
  private moveFocus(selector: string): void {
    void this.updateComplete.then(() => this.renderRoot.querySelector<HTMLElement>(selector)?.focus());
  }

  /** A long text is taken as a file, unless it is pasted into the middle of another. */
  private readonly onPaste = (event: ClipboardEvent): void => {
    const pasted = event.clipboardData?.getData('text/plain') ?? '';
    const { selectionStart, selectionEnd, textLength } = event.target as HTMLTextAreaElement;
    if (pasted.length <= longestTyped || selectionEnd - selectionStart < textLength) return;
    event.preventDefault();
    this.setFile(new File([pasted], 'pasted.txt'));
    this.moveFocus('.file button');
  };

  private readonly onRemoveFile = (): void => {
    this.setFile(null);
    this.moveFocus('#text');
  };

  private readonly onTakeExample = (): void => {
    this.setText(example, 0);
    this.moveFocus('#text');
  };

  private readonly onSubmit = (event: SubmitEvent): void => {
    event.preventDefault();
    if (this.sending) return;
    const modelId = this.chosenModel;
    if (modelId === null) this.missing = 'Choose a model first.';
    else if (this.isEmpty) this.missing = 'Paste molecules, or choose a file, first.';
    else void this.send(modelId);
  };

  private async send(modelId: string): Promise<void> {
    const { content, reading } = this;
    this.sending = true;
    this.submitError = null;
    try {
      const { id } = await submitInput(this.connection, modelId, { content, ...reading });
      if (this.content === content) this.forgetInput();
      this.dispatchEvent(
        new CustomEvent('hub-work-request-submitted', { detail: { id }, bubbles: true, composed: true }),
      );
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.submitError = error;
    } finally {
      this.sending = false;
    }
  }

  protected override render() {
    if (!this.isSignedIn && this.isEmpty) return signedOutNotice('submit molecules');
    return html`
      <form
        class=${this.modelId === null ? 'with-picker' : ''}
        @submit=${this.onSubmit}
        @dragover=${this.onDrag}
        @dragleave=${this.onDrag}
        @drop=${this.onDrop}
        novalidate
      >
        ${this.modelId === null ? this.renderPicker() : nothing}
        <section class=${this.isDropTarget ? 'step drop-target' : 'step'} aria-labelledby="input-title">
          <h2 id="input-title">Molecules</h2>
          ${this.file ? this.renderFile(this.file) : this.renderText()} ${this.renderVerdict()}
          ${this.renderSubmit()}
        </section>
      </form>
    `;
  }

  private renderPicker() {
    const { baseUrl, token } = this;
    return html`
      <section class="step" aria-labelledby="model-title">
        <h2 id="model-title">Model</h2>
        <hub-model-list
          selectable
          .baseUrl=${baseUrl}
          .token=${token}
          .selected=${this.picked}
          @hub-model-selected=${this.onPick}
        ></hub-model-list>
      </section>
    `;
  }

  private renderText() {
    return html`
      <div class="input">
        <label for="text">SMILES, one per line, or a table with a SMILES column</label>
        <textarea
          id="text"
          rows="8"
          spellcheck="false"
          autocapitalize="off"
          autocomplete="off"
          wrap="off"
          placeholder="CC(=O)Oc1ccccc1C(=O)O"
          .value=${this.text}
          @paste=${this.onPaste}
          @input=${(event: Event) => this.setText((event.target as HTMLTextAreaElement).value, restMs)}
        ></textarea>
        <div class="sources">
          <button type="button" @click=${() => this.fileInput.click()}>Choose a file …</button>
          <span class="small muted">or drop one here: CSV, TSV, TXT or SMI, up to 50 MB</span>
          ${
            this.text === ''
              ? html`<button class="quiet" type="button" @click=${this.onTakeExample}>
                  Use five known drugs
                </button>`
              : nothing
          }
        </div>
        <input
          id="file"
          type="file"
          hidden
          aria-label="File with molecules"
          accept=".csv,.tsv,.tab,.txt,.smi,.smiles,text/csv,text/plain,text/tab-separated-values"
          @change=${this.onFilePicked}
        />
      </div>
    `;
  }

  private renderFile(file: File) {
    return html`
      <div class="file">
        <span class="file-name">${file.name}</span>
        <span class="small muted">${formatBytes(file.size)}</span>
        <span class="small muted">Drop another one to replace it.</span>
        <button type="button" @click=${this.onRemoveFile}>
          Remove<span class="visually-hidden"> ${file.name}</span>
        </button>
      </div>
    `;
  }

  private tellVerdict() {
    const { value, error, loading } = this.verdict;
    if (value && !error) return verdictSentence(value);
    return loading && !value ? 'Reading the input …' : nothing;
  }

  private renderVerdict() {
    const { value, error, loading } = this.verdict;
    const view = value && verdictView(value, this.reading, (change) => this.changeReading(change));
    return html`
      <p class=${loading && value ? 'verdict-sentence old' : 'verdict-sentence'} role="status">
        ${this.tellVerdict()}
      </p>
      ${error ? errorNotice(error, () => this.check()) : nothing}
      ${view ? html`<div class=${loading || error ? 'verdict old' : 'verdict'}>${view}</div>` : nothing}
    `;
  }

  private renderSubmit() {
    return html`
      ${this.submitError ? errorNotice(this.submitError) : nothing}
      ${this.missing ? html`<p class="notice bad" role="alert">${this.missing}</p>` : nothing}
      <div class="submit">
        <button class="primary" type="submit" ?disabled=${this.sending}>
          ${this.sending ? 'Submitting …' : 'Run the model'}
        </button>
        ${
          this.chosenModel
            ? html`<span class="small muted">on <code>${this.chosenModel}</code></span>`
            : nothing
        }
      </div>
    `;
  }
}
