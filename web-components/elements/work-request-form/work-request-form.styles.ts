import { css } from 'lit';

export const workRequestFormStyles = css`
  :host {
    container-type: inline-size;
  }

  form {
    display: grid;
    gap: 2rem clamp(1.5rem, 4cqi, 3rem);
    align-items: start;
  }

  @container (inline-size >= 56rem) {
    form.with-picker {
      grid-template-columns: minmax(18rem, 2fr) minmax(0, 3fr);
    }
  }

  .step {
    display: grid;
    gap: 0.875rem;
    min-inline-size: 0;
  }

  .input {
    display: grid;
    gap: 0.5rem;
  }

  .drop-target {
    border-radius: var(--_radius);
    outline: 2px dashed var(--_accent);
    outline-offset: 6px;
  }

  textarea {
    min-block-size: 11rem;
    resize: vertical;
    font-family: var(--_mono);
    font-size: 0.875rem;
    line-height: 1.6;
  }

  .sources,
  .submit,
  .file {
    display: flex;
    flex-wrap: wrap;
    gap: 0.5rem 0.875rem;
    align-items: center;
  }

  .file {
    padding: 0.875rem 1rem;
    border: 1px solid var(--_line);
    border-radius: var(--_radius);
    background: var(--_surface);
  }

  .file-name {
    font-weight: 600;
    overflow-wrap: anywhere;
  }

  .file button {
    margin-inline-start: auto;
  }

  /* Its text, not its invisible edge, stands in line with what is above. */
  .sources .quiet {
    margin-inline-start: -0.9375rem;
  }

  .verdict-sentence {
    font-weight: 600;
  }

  /* To be seen but not read out: what is new is told once, when it is there. */
  .verdict-sentence.old::after {
    color: var(--_muted);
    content: ' Reading again …';
    content: ' Reading again …' / '';
    font-weight: 400;
  }

  .verdict {
    display: grid;
    gap: 1.125rem;
    padding: 1rem;
    border: 1px solid var(--_line);
    border-radius: var(--_radius);
    background: var(--_surface);
  }

  .verdict.old {
    border-style: dashed;
    background: var(--_sunken);
  }

  .facts,
  .choices {
    display: flex;
    flex-wrap: wrap;
    gap: 1rem 2.5rem;
  }

  dt {
    color: var(--_muted);
    font-size: 0.875rem;
  }

  .choice {
    display: grid;
    flex: 1 1 15rem;
    gap: 0.375rem;
    align-content: start;
  }

  legend {
    margin-block-end: 0.375rem;
  }

  .options {
    display: flex;
    flex-wrap: wrap;
    gap: 0.375rem 1.125rem;
    align-items: center;
    min-block-size: 2.5rem;
  }

  .option {
    display: inline-flex;
    gap: 0.5rem;
    align-items: center;
    min-block-size: 1.75rem;
    font-weight: 400;
    cursor: pointer;
  }

  .problems,
  .problems section {
    display: grid;
    gap: 0.375rem;
  }

  .problems section {
    margin-block-start: 0.5rem;
  }

  .problems ul {
    display: grid;
    grid-template-columns: minmax(5rem, max-content) 1fr;
    gap: 0 0.75rem;
    list-style: none;
    font-size: 0.875rem;
  }

  .problems li {
    display: grid;
    grid-column: 1 / -1;
    grid-template-columns: subgrid;
    padding-block: 0.3125rem;
    border-block-end: 1px solid var(--_line);
    overflow-wrap: anywhere;
  }

  .problems summary {
    inline-size: fit-content;
    padding-block: 0.25rem;
    color: var(--_accent);
    font-size: 0.875rem;
    font-weight: 550;
    cursor: pointer;
  }

  .problems summary:hover {
    color: var(--_accent-strong);
  }

  .line {
    color: var(--_muted);
    font-variant-numeric: tabular-nums;
  }

  td {
    max-inline-size: 18rem;
    overflow: hidden;
    text-overflow: ellipsis;
  }

  td.chosen {
    background: var(--_accent-soft);
  }
`;
