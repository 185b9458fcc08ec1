import { html, nothing } from 'lit';
import type { WorkRequest } from '../../client/api-schemas.js';
import { countOf, formatCount } from '../../text/numbers.js';
import { formatInstant, formatMoment } from '../../text/times.js';
import type { TimelineStep } from './tell-timeline.js';

const spoken: Readonly<Record<TimelineStep['state'], string>> = {
  done: 'done',
  current: 'now',
  ahead: 'still ahead',
  failed: 'ended here',
  'not-reached': 'not reached',
};

/** The steps of a request as a list; the running step carries the progress bar. */
export function timelineView(steps: readonly TimelineStep[], request: WorkRequest) {
  return html`
    <ol class="timeline" role="list">
      ${steps.map(
        (step) => html`
          <li class=${step.state} aria-current=${step.state === 'current' ? 'step' : nothing}>
            <span class="step-name"
              >${step.name}<span class="visually-hidden">, ${spoken[step.state]}</span></span
            >
            ${
              step.at
                ? html`<time datetime=${step.at} title=${formatInstant(step.at)}
                    >${formatMoment(step.at, Date.now())}</time
                  >`
                : nothing
            }
            ${step.detail ? html`<p class="step-detail">${step.detail}</p>` : nothing}
            ${hasRows(step) ? progressView(request, step.state) : nothing}
          </li>
        `,
      )}
    </ol>
  `;
}

/** Has the step in which rows are computed begun? */
function hasRows({ name, state }: TimelineStep): boolean {
  return name === 'Running' && state !== 'ahead' && state !== 'not-reached';
}

/** Rows done of all rows. While nothing is known the bar has no value, and says so to assistive technology. */
function progressView({ progress }: WorkRequest, state: TimelineStep['state']) {
  const { rows, rows_done, rows_failed, rows_invalid } = progress;
  const faults = [
    rows_invalid > 0 ? `${formatCount(rows_invalid)} invalid` : '',
    rows_failed > 0 ? `${formatCount(rows_failed)} failed` : '',
  ].filter(Boolean);
  const isUnknown = rows === 0 || (state === 'current' && rows_done === 0);
  const text = isUnknown
    ? `${countOf(rows, 'row')} under way`
    : `${formatCount(rows_done)} of ${countOf(rows, 'row')}`;
  return html`
    <div class="progress">
      ${
        state === 'current'
          ? html`<progress
              aria-label="Rows computed"
              max=${rows || 1}
              value=${isUnknown ? nothing : rows_done}
            ></progress>`
          : nothing
      }
      <p class="small">${[text, ...faults].join(' · ')}</p>
    </div>
  `;
}
