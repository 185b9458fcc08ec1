import { html, nothing } from 'lit';
import type { Model } from '../../client/api-schemas.js';
import { countOf, formatCount } from '../../text/numbers.js';

type Column = Model['details']['columns'][number];

/** Columns shown before the rest is folded away. */
const columnsShown = 24;

/** The name people know the model by. */
export function modelTitle(model: Model): string {
  return model.details.identification_details?.title ?? model.id;
}

/** One paragraph: what the model computes. */
export function modelSummary(model: Model): string {
  return model.details.identification_details?.description ?? model.details.description;
}

/** Why nobody can run it now, or null. */
export function whyUnavailable(model: Model): string | null {
  if (!model.enabled) return 'Switched off by the operator.';
  if (model.details.max_instances === 0) return 'The operator lets none of it run at present.';
  return null;
}

/** Everything a reader needs to trust a number of this model: columns with units, how to read them, source, size. */
export function modelDescription(model: Model) {
  const { columns, citation, identification_details: about } = model.details;
  return html`
    ${about?.interpretation ? html`<p>${about.interpretation}</p>` : nothing} ${columnTable(columns)}
    <dl class="facts">
      <div>
        <dt>Needs</dt>
        <dd>up to ${formatCount(model.details.k8s_resources.memory_limit)} MiB of memory</dd>
      </div>
      <div>
        <dt>Kept running</dt>
        <dd>${countOf(model.details.warm_seconds, 'second')} after its last request</dd>
      </div>
      <div>
        <dt>Version</dt>
        <dd><code>${model.details.image_tag}</code></dd>
      </div>
      ${link('Publication', about?.publication)} ${link('Source code', about?.source_code)}
    </dl>
    ${citation ? html`<p class="small muted"><strong>Cite as</strong> ${citation}</p>` : nothing}
  `;
}

function columnTable(columns: readonly Column[]) {
  if (columns.length === 0) return html`<p class="muted">The model does not state its columns.</p>`;
  const rest = columns.length - columnsShown;
  return html`
    <div class="table-scroll" tabindex="0" role="region" aria-label="Columns of the result">
      <table>
        <thead>
          <tr>
            <th scope="col">Column</th>
            <th scope="col">Unit</th>
            <th scope="col">Meaning</th>
          </tr>
        </thead>
        <tbody>
          ${columns.slice(0, columnsShown).map(columnRow)}
        </tbody>
      </table>
    </div>
    ${rest > 0 ? html`<p class="small muted">and ${countOf(rest, 'more column')}</p>` : nothing}
  `;
}

function columnRow(column: Column) {
  return html`
    <tr>
      <th scope="row"><code>${column.name}</code></th>
      <td>${column.unit ?? unitOfType[column.type]}</td>
      <td class="meaning">${column.description}</td>
    </tr>
  `;
}

/** What stands for a unit where there is none. */
const unitOfType: Readonly<Record<Column['type'], string>> = {
  number: 'no unit',
  integer: 'whole number',
  boolean: 'yes or no',
  string: 'text',
};

/** Nothing where there is no address: in a catalogue anything may stand in its place. */
function link(label: string, address: string | null | undefined) {
  if (!address?.startsWith('https://') || !URL.canParse(address)) return nothing;
  return html`
    <div>
      <dt>${label}</dt>
      <dd><a href=${address} rel="noreferrer">${new URL(address).hostname}</a></dd>
    </div>
  `;
}
