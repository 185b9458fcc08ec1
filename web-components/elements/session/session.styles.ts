import { css } from 'lit';
import { ownText } from '../../styles/tokens.js';

export const sessionStyles = css`
  /* What is inside belongs to the page, and looks as the page wants it; only the panel is the hub's. */
  :host {
    color: inherit;
    font: inherit;
    letter-spacing: inherit;
    text-align: inherit;
    text-indent: inherit;
    text-transform: inherit;
    text-shadow: inherit;
    white-space: inherit;
    word-spacing: inherit;
  }

  .content:focus {
    outline: none;
  }

  .panel {
    ${ownText}
    display: grid;
    gap: 1.25rem;
    margin-block-end: 2rem;
    padding: clamp(1.25rem, 4vw, 2rem);
    border: 1px solid var(--_line);
    border-radius: calc(var(--_radius) + 4px);
    background: var(--_surface);
  }

  .ways {
    display: grid;
    grid-template-columns: repeat(auto-fit, minmax(min(100%, 16rem), 1fr));
    gap: clamp(1.5rem, 5vw, 3rem);
  }

  .way {
    display: grid;
    gap: 0.875rem;
    align-content: start;
    justify-items: start;
  }

  .field {
    display: grid;
    gap: 0.25rem;
    inline-size: 100%;
    max-inline-size: 22rem;
  }
`;
