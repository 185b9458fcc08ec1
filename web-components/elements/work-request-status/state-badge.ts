import { css, html, svg, type TemplateResult } from 'lit';
import type { WorkRequest } from '../../client/api-schemas.js';

type State = WorkRequest['request_status'];

const words: Readonly<Record<State, string>> = {
  QUEUED: 'Queued',
  SCHEDULING: 'Waiting',
  PROCESSING: 'Running',
  COMPLETED: 'Done',
  FAILED: 'Failed',
  CANCELLED: 'Cancelled',
};

/** Shapes differ, so that the state can be told without colour. */
const waiting = svg`<circle cx="8" cy="8" r="5.75" /><path d="M8 5v3.25L10 9.5" />`;
const shapes: Readonly<Record<State, TemplateResult>> = {
  QUEUED: waiting,
  SCHEDULING: waiting,
  PROCESSING: svg`<path d="M5.5 3.75 12 8l-6.5 4.25z" />`,
  COMPLETED: svg`<path d="m3 8.5 3.25 3.25L13 5" />`,
  FAILED: svg`<path d="M8 2.25 14.25 13H1.75zM8 6.5v3M8 11.2v.1" />`,
  CANCELLED: svg`<circle cx="8" cy="8" r="5.75" /><path d="m4 4 8 8" />`,
};

/** A request's state as icon and word. */
export function stateBadge(state: State): TemplateResult {
  return html`<span class="state ${state.toLowerCase()}">
    <svg viewBox="0 0 16 16" aria-hidden="true">${shapes[state]}</svg>${words[state]}
  </span>`;
}

export const stateBadgeStyles = css`
  .state {
    display: inline-flex;
    gap: 0.375rem;
    align-items: center;
    color: var(--_muted);
    font-weight: 600;
    white-space: nowrap;
  }

  .state svg {
    inline-size: 1em;
    block-size: 1em;
    fill: none;
    stroke: currentcolor;
    stroke-linecap: round;
    stroke-linejoin: round;
    stroke-width: 1.75;
  }

  .state.processing {
    color: var(--_accent);
  }

  .state.completed {
    color: var(--_good);
  }

  .state.failed {
    color: var(--_bad);
  }
`;
