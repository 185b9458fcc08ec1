import { css } from 'lit';

export const appStyles = css`
  :host {
    display: grid;
    grid-template-rows: auto 1fr auto;
    grid-template-columns: minmax(0, 1fr);
    min-block-size: 100dvh;
    background: var(--_sunken);
  }

  header {
    border-block-end: 1px solid var(--_line);
    background: var(--_surface);
  }

  .bar,
  main {
    inline-size: 100%;
    max-inline-size: 76rem;
    margin-inline: auto;
    padding-inline: clamp(1rem, 4vw, 2rem);
  }

  .bar {
    display: flex;
    flex-wrap: wrap;
    gap: 0.25rem 2rem;
    align-items: center;
    padding-block: 0.625rem;
  }

  /* As high without a person in it. */
  header .bar {
    min-block-size: 3.75rem;
  }

  .brand {
    display: inline-flex;
    gap: 0.5rem;
    align-items: center;
    color: var(--_text);
    font-weight: 700;
    letter-spacing: -0.01em;
    text-decoration: none;
  }

  .brand svg {
    inline-size: 1.625rem;
    block-size: 1.625rem;
    fill: none;
    stroke: var(--_accent);
    stroke-linejoin: round;
    stroke-width: 1.75;
  }

  nav {
    display: flex;
    gap: 0.25rem;
  }

  nav a {
    padding: 0.375rem 0.75rem;
    border-radius: calc(var(--_radius) - 2px);
    color: var(--_muted);
    font-size: 0.9375rem;
    font-weight: 550;
    text-decoration: none;
  }

  nav a:hover {
    background: var(--_sunken);
    color: var(--_text);
  }

  nav a[aria-current='page'] {
    background: var(--_accent-soft);
    color: var(--_accent);
  }

  .person {
    display: flex;
    gap: 0.25rem;
    align-items: center;
    margin-inline-start: auto;
  }

  .person button {
    margin-inline-end: -0.9375rem;
  }

  main {
    padding-block: clamp(1.5rem, 5vw, 3rem);
  }

  main:focus {
    outline: none;
  }

  h1 + .lead {
    max-inline-size: 44rem;
    margin-block: 0.375rem 2rem;
    text-wrap: pretty;
  }

  h1 + hub-work-request-list {
    margin-block-start: 1.5rem;
  }

  .run {
    margin-block-start: 2.5rem;
    padding-block-start: 2rem;
    border-block-start: 1px solid var(--_line);
  }

  footer {
    border-block-start: 1px solid var(--_line);
  }

  .skip {
    position: absolute;
    inset-block-start: 0.5rem;
    inset-inline-start: 0.5rem;
    z-index: 1;
    padding: 0.5rem 0.875rem;
    background: var(--_surface);
    transform: translateY(-300%);
  }

  .skip:focus {
    transform: none;
  }

  @media (forced-colors: active) {
    nav a[aria-current='page'] {
      border-block-end: 2px solid Highlight;
    }
  }

  @media (width < 30rem) {
    nav {
      order: 1;
      inline-size: 100%;
      margin-inline-start: -0.75rem;
    }
  }
`;
