import { css } from 'lit';

export const workRequestListStyles = css`
  :host {
    display: grid;
    gap: 1rem;
    grid-template-columns: minmax(0, 1fr);
    container-type: inline-size;
  }

  table {
    font-size: 0.9375rem;
  }

  th,
  td {
    padding-block: 0.625rem;
  }

  tbody th {
    font-weight: 600;
  }

  .actions {
    display: flex;
    flex-wrap: wrap;
    gap: 0.625rem;
  }

  @container (inline-size < 34rem) {
    thead {
      position: absolute;
      inline-size: 1px;
      block-size: 1px;
      overflow: hidden;
      clip-path: inset(50%);
    }

    tbody tr {
      display: grid;
      gap: 0.25rem;
      padding: 0.875rem 1rem;
      border-block-end: 1px solid var(--_line);
    }

    tbody tr:last-child {
      border-block-end: 0;
    }

    tbody th,
    tbody td {
      display: flex;
      gap: 1rem;
      justify-content: space-between;
      padding: 0;
      border: 0;
      white-space: normal;
    }

    td::before {
      color: var(--_muted);
      content: attr(data-label);
      content: attr(data-label) / '';
    }
  }
`;
