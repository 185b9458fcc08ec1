import { css } from 'lit';

export const modelListStyles = css`
  .list {
    display: grid;
    gap: 0.75rem;
    list-style: none;
  }

  .model {
    display: grid;
    gap: 0.375rem;
    padding: 0.875rem 1rem;
    border: 1px solid var(--_line);
    border-radius: var(--_radius);
    background: var(--_surface);
    transition: border-color 120ms;
  }

  .model.selected {
    border-color: var(--_accent);
    box-shadow: inset 0 0 0 1px var(--_accent);
  }

  .choice {
    display: flex;
    gap: 0.625rem;
    align-items: flex-start;
    cursor: pointer;
  }

  .choice:has(:disabled) {
    color: var(--_muted);
    cursor: not-allowed;
  }

  .choice input {
    margin-block-start: 0.1875rem;
  }

  .title {
    margin-inline-end: 0.375rem;
    font-weight: 600;
  }

  /* An id goes to the next line whole. */
  code {
    display: inline-block;
    overflow-wrap: anywhere;
    font-weight: 400;
  }

  .summary {
    color: var(--_muted);
    font-size: 0.9375rem;
    text-wrap: pretty;
  }

  .unavailable {
    color: var(--_warn);
  }

  summary {
    inline-size: fit-content;
    padding-block: 0.125rem;
    color: var(--_accent);
    font-size: 0.875rem;
    cursor: pointer;
  }

  .details {
    display: grid;
    gap: 0.875rem;
    padding-block-start: 0.625rem;
    font-size: 0.9375rem;
  }

  .table-scroll {
    max-block-size: 20rem;
    overflow: auto;
  }

  tbody th {
    font-weight: 400;
  }

  td.meaning {
    min-inline-size: 11rem;
    white-space: normal;
  }

  .facts {
    display: flex;
    flex-wrap: wrap;
    gap: 0.5rem 1.75rem;
    font-size: 0.875rem;
  }

  dt {
    color: var(--_muted);
  }
`;
