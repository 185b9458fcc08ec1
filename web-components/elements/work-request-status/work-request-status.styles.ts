import { css } from 'lit';

export const workRequestStatusStyles = css`
  :host {
    display: grid;
    gap: 1.5rem;
    grid-template-columns: minmax(0, 1fr);
    container-type: inline-size;
  }

  .body {
    display: grid;
    gap: 1.5rem 2rem;
    grid-template-columns: minmax(0, 1fr);
    align-items: start;
  }

  @container (inline-size >= 60rem) {
    .body.with-result {
      grid-template-columns: 21rem minmax(0, 1fr);
    }
  }

  .story {
    max-inline-size: 46rem;
    padding: 1.25rem 1.25rem 0.125rem;
    border: 1px solid var(--_line);
    border-radius: var(--_radius);
    background: var(--_surface);
  }

  .story > p {
    padding-block-end: 1rem;
  }

  .head {
    display: flex;
    flex-wrap: wrap;
    gap: 0.5rem 2rem;
    align-items: flex-start;
    justify-content: space-between;
  }

  h1:focus {
    outline: none;
  }

  .now {
    display: grid;
    gap: 0.125rem;
    justify-items: start;
    font-variant-numeric: tabular-nums;
  }

  @container (inline-size >= 34rem) {
    .now {
      justify-items: end;
    }
  }

  .timeline {
    display: grid;
    list-style: none;
  }

  .timeline li {
    position: relative;
    display: grid;
    grid-template-columns: 1fr auto;
    gap: 0 1rem;
    padding-block-end: 1.125rem;
    padding-inline-start: 2.125rem;
  }

  .timeline li::before {
    position: absolute;
    inset-block-start: 0.3125rem;
    inset-inline-start: 0;
    inline-size: 0.875rem;
    block-size: 0.875rem;
    border: 2px solid var(--_control-line);
    border-radius: 50%;
    background: var(--_surface);
    content: '';
  }

  .timeline li:not(:last-child)::after {
    position: absolute;
    inset-block: 1.25rem -0.25rem;
    inset-inline-start: 0.375rem;
    inline-size: 2px;
    background: var(--_line);
    content: '';
  }

  .timeline li.done::before {
    border-color: var(--_accent);
    background: var(--_accent);
  }

  .timeline li.done::after {
    background: var(--_accent);
  }

  .timeline li.current::before {
    border-color: var(--_accent);
    border-width: 4px;
    animation: breathe 1.6s ease-in-out infinite alternate;
  }

  .timeline li.failed::before {
    border-color: var(--_bad);
    border-radius: 2px;
    background: var(--_bad);
  }

  @keyframes breathe {
    to {
      box-shadow: 0 0 0 5px var(--_accent-soft);
    }
  }

  .step-name {
    font-weight: 600;
  }

  .ahead .step-name,
  .not-reached .step-name {
    color: var(--_muted);
    font-weight: 400;
  }

  time {
    color: var(--_muted);
    font-size: 0.875rem;
    font-variant-numeric: tabular-nums;
  }

  .step-detail,
  .progress {
    grid-column: 1 / -1;
    max-inline-size: 46rem;
    color: var(--_muted);
    font-size: 0.9375rem;
    overflow-wrap: anywhere;
  }

  .progress {
    display: grid;
    gap: 0.25rem;
    padding-block-start: 0.25rem;
    font-variant-numeric: tabular-nums;
  }

  progress {
    inline-size: 100%;
    block-size: 0.5rem;
    border: 0;
    border-radius: 1rem;
    background: var(--_line);
    accent-color: var(--_accent);
    appearance: none;
    overflow: hidden;
  }

  progress::-webkit-progress-bar {
    background: var(--_line);
  }

  progress::-webkit-progress-value {
    border-radius: 1rem;
    background: var(--_accent);
    transition: inline-size 250ms;
  }

  progress::-moz-progress-bar {
    border-radius: 1rem;
    background: var(--_accent);
  }

  progress:indeterminate {
    background: repeating-linear-gradient(115deg, var(--_line) 0 12px, var(--_accent-soft) 12px 24px);
  }

  progress:indeterminate::-webkit-progress-bar {
    background: transparent;
  }

  progress:indeterminate::-moz-progress-bar {
    background: transparent;
  }

  .result {
    display: grid;
    gap: 1rem;
    grid-template-columns: minmax(0, 1fr);
  }

  /* The values are what the preview is for: what names the row leaves them the room. */
  td.key {
    max-inline-size: 9rem;
  }

  td.input {
    max-inline-size: 14rem;
  }

  .actions {
    display: flex;
    flex-wrap: wrap;
    gap: 0.625rem;
  }

  dialog {
    max-inline-size: min(28rem, calc(100vw - 2rem));
    padding: 1.5rem;
    border: 1px solid var(--_line);
    border-radius: calc(var(--_radius) + 4px);
    background: var(--_surface);
    color: var(--_text);
  }

  dialog::backdrop {
    background: rgb(0 0 0 / 45%);
  }

  dialog form {
    display: grid;
    gap: 1rem;
  }

  @media (forced-colors: active) {
    progress {
      border: 1px solid CanvasText;
      appearance: auto;
    }

    .timeline li.done::before,
    .timeline li.current::before,
    .timeline li.failed::before {
      border-color: Highlight;
      background: Highlight;
    }
  }
`;
