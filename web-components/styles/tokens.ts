import { css } from 'lit';

/**
 * Text as the hub sets it, whatever the page around has for its own. Capitals above all: in SMILES they mean another
 * atom.
 */
export const ownText = css`
  color: var(--_text);
  font: 400 1rem / 1.5 var(--_font);
  letter-spacing: normal;
  text-align: start;
  text-indent: 0;
  text-transform: none;
  text-shadow: none;
  white-space: normal;
  word-spacing: normal;
`;

/**
 * Design tokens. A host page overrides the public `--hub-*` properties; elements use the private `--_*` ones. Light and
 * dark follow the `color-scheme` of the surrounding page, so an element never glows in a page that is light only.
 */
export const tokens = css`
  :host {
    --_surface: var(--hub-surface, light-dark(#ffffff, #172120));
    --_sunken: var(--hub-sunken, light-dark(#f3f6f5, #111918));
    --_text: var(--hub-text, light-dark(#15211f, #e6edeb));
    --_muted: var(--hub-muted, light-dark(#52615e, #a3b3af));
    --_line: var(--hub-line, light-dark(#d9e0de, #2f3c39));
    --_control-line: var(--hub-control-line, light-dark(#74837f, #7d8e8a));
    --_accent: var(--hub-accent, light-dark(#0a6a60, #62d2c1));
    --_accent-strong: var(--hub-accent-strong, light-dark(#064f48, #8be3d6));
    --_on-accent: var(--hub-on-accent, light-dark(#ffffff, #04211d));
    --_accent-soft: var(--hub-accent-soft, light-dark(#e4f2ef, #15342f));
    --_good: var(--hub-good, light-dark(#1b6a35, #84d79c));
    --_warn: var(--hub-warn, light-dark(#855400, #f0c468));
    --_warn-soft: var(--hub-warn-soft, light-dark(#fdf4e0, #33290f));
    --_bad: var(--hub-bad, light-dark(#a3261c, #ffa193));
    --_bad-soft: var(--hub-bad-soft, light-dark(#fcecea, #3b1b18));
    --_radius: var(--hub-radius, 8px);
    --_font: var(--hub-font, system-ui, 'Segoe UI', Roboto, 'Helvetica Neue', 'Noto Sans', sans-serif);
    --_mono: var(--hub-mono, ui-monospace, 'SF Mono', 'Cascadia Mono', 'Liberation Mono', monospace);

    display: block;
    box-sizing: border-box;
    min-inline-size: 0;
    ${ownText}
  }

  :host([hidden]) {
    display: none;
  }

  *,
  *::before,
  *::after {
    box-sizing: border-box;
  }

  [hidden] {
    display: none !important;
  }

  :focus-visible {
    outline: 2px solid var(--_accent);
    outline-offset: 2px;
    border-radius: 4px;
  }

  .visually-hidden {
    position: absolute;
    inline-size: 1px;
    block-size: 1px;
    overflow: hidden;
    clip-path: inset(50%);
    white-space: nowrap;
  }

  @media (prefers-reduced-motion: reduce) {
    *,
    *::before,
    *::after {
      animation: none !important;
      transition: none !important;
    }
  }
`;
