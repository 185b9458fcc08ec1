import { html, nothing } from 'lit';
import type { ResultRow } from '../../client/results.js';
import { countOf, formatCount } from '../../text/numbers.js';

/** Columns shown; a model may have thousands, and they are all in the download. */
const columnsShown = 14;

/** The first rows of a result as a table. */
export function resultPreview(rows: readonly ResultRow[], allRows: number) {
  const columns = Object.keys(rows[0] ?? {});
  // The last column says how the row fared, so it is never the one left out.
  const shown = columns.filter((_, index) => index < columnsShown - 1 || index === columns.length - 1);
  const rest = columns.length - shown.length;
  return html`
    <p class="small muted">
      First ${countOf(rows.length, 'row')} of
      ${formatCount(allRows)}${rest > 0 ? html`; ${countOf(rest, 'more column')} in the download` : nothing}
    </p>
    <div class="table-scroll" tabindex="0" role="region" aria-label="First rows of the result">
      <table>
        <thead>
          <tr>
            ${shown.map((name) => html`<th scope="col" class=${isNumeric(rows, name) ? 'number' : ''}>${name}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${rows.map(
            (row) =>
              html`<tr>
                ${shown.map((name) => cell(row[name], name, isNumeric(rows, name)))}
              </tr>`,
          )}
        </tbody>
      </table>
    </div>
  `;
}

function isNumeric(rows: readonly ResultRow[], name: string): boolean {
  return rows.some((row) => typeof row[name] === 'number');
}

function cell(value: unknown, name: string, isInNumbers: boolean) {
  if (value === null || value === undefined || value === '')
    return html`<td class=${isInNumbers ? 'muted number' : 'muted'}>–</td>`;
  if (typeof value === 'number') return html`<td class="number">${value}</td>`;
  const text = typeof value === 'object' ? JSON.stringify(value) : `${value as string | boolean}`;
  const isStructure = name === 'key' || name === 'input';
  return html`<td class=${isStructure ? `mono ${name}` : ''} title=${isStructure ? text : nothing}>
    ${text}
  </td>`;
}
