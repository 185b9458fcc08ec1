import { css } from 'lit';

/** Plain data tables that scroll inside themselves, never the page. */
export const tables = css`
  .table-scroll {
    overflow-x: auto;
    border: 1px solid var(--_line);
    border-radius: var(--_radius);
    background: var(--_surface);
  }

  table {
    inline-size: 100%;
    border-collapse: collapse;
    font-size: 0.875rem;
  }

  caption {
    padding: 0.5rem 0.75rem;
    color: var(--_muted);
    text-align: start;
  }

  th,
  td {
    padding: 0.4375rem 0.75rem;
    border-block-end: 1px solid var(--_line);
    text-align: start;
    vertical-align: baseline;
    white-space: nowrap;
  }

  tbody tr:last-child > * {
    border-block-end: 0;
  }

  thead th {
    background: var(--_sunken);
    color: var(--_muted);
    font-weight: 600;
  }

  .number {
    font-variant-numeric: tabular-nums;
    text-align: end;
  }

  td.mono {
    max-inline-size: 22rem;
    overflow: hidden;
    text-overflow: ellipsis;
  }
`;
