import { html, nothing } from 'lit';
import type { InputReading } from '../../client/api-client.js';
import type { InputVerdict } from '../../client/api-schemas.js';
import { countOf, formatCount } from '../../text/numbers.js';
import { asSentence } from '../../text/sentences.js';
import { problemCounts, problemList } from './problem-list.js';

const delimiterNames: Readonly<Record<InputVerdict['delimiter'], string>> = {
  comma: 'Comma',
  tab: 'Tab',
  semicolon: 'Semicolon',
  blank: 'First blank splits off the name',
  none: 'None, one molecule per line',
};

/** One sentence that is announced: how many rows, and what is wrong with them. */
export function verdictSentence(verdict: InputVerdict): string {
  const rows = `${countOf(verdict.row_count, 'row')}.`;
  const told = problemCounts(verdict).map(({ name, count }) => `${name}: ${formatCount(count)}.`);
  const isPartial = verdict.judged_rows < verdict.row_count;
  const rest = isPartial ? `Judged by the first ${formatCount(verdict.judged_rows)} rows.` : '';
  const refused = verdict.acceptable ? '' : 'It cannot be run as it is.';
  const nothingFound = told.length === 0 && verdict.acceptable ? 'No problem found.' : '';
  return [rows, refused, ...told, nothingFound, rest].filter(Boolean).join(' ');
}

/** What the hub made of the input, with the two decisions that can be taken otherwise. */
export function verdictView(
  verdict: InputVerdict,
  reading: InputReading,
  change: (reading: Partial<InputReading>) => void,
) {
  return html`
    <dl class="facts">
      <div>
        <dt>Rows</dt>
        <dd>${formatCount(verdict.row_count)} of at most ${formatCount(verdict.row_limit)}</dd>
      </div>
      <div>
        <dt>Delimiter</dt>
        <dd>${delimiterNames[verdict.delimiter]}</dd>
      </div>
    </dl>
    <div class="choices">
      ${headerChoice(verdict, reading, change)} ${columnChoice(verdict, reading, change)}
    </div>
    ${verdict.refusal ? html`<p class="notice bad">${verdict.refusal}</p>` : nothing}
    ${verdict.warning ? html`<p class="notice warn">${verdict.warning}</p>` : nothing}
    ${previewTable(verdict)} ${problemList(verdict)}
  `;
}

function headerChoice(
  verdict: InputVerdict,
  reading: InputReading,
  change: (reading: Partial<InputReading>) => void,
) {
  const labels = { auto: `Automatic: ${verdict.header ? 'yes' : 'no'}`, yes: 'Yes', no: 'No' };
  return html`
    <fieldset class="choice" aria-describedby="header-because">
      <legend>Is the first line a header?</legend>
      <div class="options">
        ${(['auto', 'yes', 'no'] as const).map(
          (value) => html`
            <label class="option">
              <input
                type="radio"
                name="header"
                .value=${value}
                .checked=${reading.header === value}
                @change=${() => change({ header: value })}
              />
              ${reading.header === 'auto' || value !== 'auto' ? labels[value] : 'Automatic'}
            </label>
          `,
        )}
      </div>
      <p class="small muted" id="header-because">${asSentence(verdict.header_because)}</p>
    </fieldset>
  `;
}

function columnChoice(
  verdict: InputVerdict,
  reading: InputReading,
  change: (reading: Partial<InputReading>) => void,
) {
  const automatic =
    reading.column === null ? `Automatic: ${verdict.column?.name ?? 'none found'}` : 'Automatic';
  return html`
    <div class="choice">
      <label for="column">SMILES column</label>
      <select
        id="column"
        aria-describedby="column-because"
        .value=${reading.column ?? ''}
        @change=${(event: Event) => change({ column: (event.target as HTMLSelectElement).value || null })}
      >
        <option value="" ?selected=${reading.column === null}>${automatic}</option>
        ${verdict.column_names.map((name, index) => {
          const number = String(index + 1);
          return html`<option .value=${number} ?selected=${reading.column === number}>
            ${number}: ${name}
          </option>`;
        })}
      </select>
      <p class="small muted" id="column-because">${asSentence(verdict.column_because)}</p>
    </div>
  `;
}

function previewTable(verdict: InputVerdict) {
  if (verdict.preview.length === 0) return nothing;
  const chosen = verdict.column?.index ?? -1;
  return html`
    <div class="table-scroll" tabindex="0" role="region" aria-label="First rows as the hub reads them">
      <table>
        <caption>
          First rows as the hub reads them
        </caption>
        <thead>
          <tr>
            ${verdict.column_names.map(
              (name, index) =>
                html`<th scope="col">
                  ${name}${index === chosen && name.toLowerCase() !== 'smiles' ? ' (SMILES)' : nothing}
                </th>`,
            )}
          </tr>
        </thead>
        <tbody>
          ${verdict.preview.map(
            (row) =>
              html`<tr>
                ${verdict.column_names.map(
                  (_, index) =>
                    html`<td class=${index === chosen ? 'mono chosen' : ''}>${row[index] ?? ''}</td>`,
                )}
              </tr>`,
          )}
        </tbody>
      </table>
    </div>
  `;
}
