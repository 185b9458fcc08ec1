import { css } from 'lit';

/** Native controls, text and notices as every element shows them. */
export const controls = css`
  h1,
  h2,
  h3,
  h4,
  p,
  ul,
  ol,
  dl,
  dd,
  fieldset {
    margin: 0;
    padding: 0;
    border: 0;
  }

  h1,
  h2,
  h3,
  h4 {
    font-weight: 650;
    letter-spacing: -0.012em;
    line-height: 1.25;
    text-wrap: balance;
  }

  h1 {
    font-size: clamp(1.5rem, 1.2rem + 1.2vw, 2rem);
  }

  h2 {
    font-size: 1.1875rem;
  }

  h3 {
    font-size: 1rem;
  }

  h4 {
    font-size: 0.9375rem;
  }

  a {
    color: var(--_accent);
    text-underline-offset: 0.18em;
  }

  a:hover {
    color: var(--_accent-strong);
  }

  code,
  .mono {
    font-family: var(--_mono);
    font-size: 0.875em;
  }

  .muted {
    color: var(--_muted);
  }

  .small {
    font-size: 0.875rem;
  }

  button,
  .button {
    display: inline-flex;
    align-items: center;
    justify-content: center;
    gap: 0.5rem;
    min-block-size: 2.5rem;
    padding: 0.375rem 0.9375rem;
    border: 1px solid var(--_control-line);
    border-radius: calc(var(--_radius) - 2px);
    background: var(--_surface);
    color: var(--_text);
    font: inherit;
    font-size: 0.9375rem;
    font-weight: 550;
    text-decoration: none;
    cursor: pointer;
    transition:
      background-color 120ms,
      border-color 120ms;
  }

  button:hover:not(:disabled) {
    border-color: var(--_accent);
    background: var(--_accent-soft);
  }

  button.primary {
    border-color: var(--_accent);
    background: var(--_accent);
    color: var(--_on-accent);
  }

  button.primary:hover:not(:disabled) {
    border-color: var(--_accent-strong);
    background: var(--_accent-strong);
  }

  button.danger {
    border-color: var(--_bad);
    color: var(--_bad);
  }

  button.danger:hover:not(:disabled) {
    border-color: var(--_bad);
    background: var(--_bad-soft);
  }

  button.quiet {
    border-color: transparent;
    background: transparent;
    color: var(--_accent);
  }

  button:disabled {
    border-color: var(--_line);
    background: var(--_sunken);
    color: var(--_muted);
    cursor: not-allowed;
  }

  input:not([type='radio'], [type='file']),
  select,
  textarea {
    inline-size: 100%;
    min-block-size: 2.5rem;
    padding: 0.4375rem 0.75rem;
    border: 1px solid var(--_control-line);
    border-radius: calc(var(--_radius) - 2px);
    background: var(--_surface);
    color: var(--_text);
    font: inherit;
  }

  input[type='radio'] {
    inline-size: 1.125rem;
    block-size: 1.125rem;
    margin: 0;
    flex: none;
    accent-color: var(--_accent);
  }

  ::placeholder {
    color: var(--_muted);
    opacity: 1;
  }

  label,
  legend {
    font-size: 0.9375rem;
    font-weight: 550;
  }

  legend {
    padding: 0;
  }

  .notice {
    display: grid;
    gap: 0.5rem;
    justify-items: start;
    padding: 0.875rem 1rem;
    border: 1px solid var(--_line);
    border-inline-start: 4px solid var(--_control-line);
    border-radius: var(--_radius);
    background: var(--_sunken);
  }

  .notice.bad {
    border-inline-start-color: var(--_bad);
    background: var(--_bad-soft);
  }

  .notice.warn {
    border-inline-start-color: var(--_warn);
    background: var(--_warn-soft);
  }

  .notice p {
    overflow-wrap: anywhere;
  }
`;
