import { html, nothing } from 'lit';
import type { InputVerdict } from '../../client/api-schemas.js';
import { countOf, formatCount } from '../../text/numbers.js';
import { asSentence } from '../../text/sentences.js';

type Problem = InputVerdict['problems'][number];
type Kind = Problem['kind'];

/** The order in which kinds are shown: what costs a row its result first, what only may surprise last. */
const kinds = ['invalid', 'unclosed-quote', 'too-long', 'over-limit', 'empty', 'duplicate'] as const;

const kindNames: Readonly<Record<Kind, string>> = {
  invalid: 'Not a molecule',
  'unclosed-quote': 'Quote not closed',
  'too-long': 'Too long',
  'over-limit': 'Over the limit',
  empty: 'Empty',
  duplicate: 'Duplicate',
};

/** Problems of a kind that are seen at once; the others unfold. */
const seenAtOnce = 4;

/** How many rows have each kind of problem, in the order in which kinds are shown; kinds that no row has are left out. */
export function problemCounts(verdict: InputVerdict): { kind: Kind; name: string; count: number }[] {
  return kinds
    .map((kind) => ({ kind, name: kindNames[kind], count: countOfKind(verdict, kind) }))
    .filter(({ count }) => count > 0);
}

/** Every problem the hub gave, by kind: the first lines of each at once, the others behind a disclosure. */
export function problemList(verdict: InputVerdict) {
  const counts = problemCounts(verdict);
  if (counts.length === 0) return nothing;
  return html`
    <div class="problems">
      <h3>Problems</h3>
      ${
        verdict.acceptable
          ? html`<p class="small muted">
              Every row is kept and answered; rows that are no molecule get empty values.
            </p>`
          : nothing
      }
      ${
        // A place for every kind, so that what a person unfolded stays so while the input changes.
        kinds.map((kind) => {
          const found = counts.find((one) => one.kind === kind);
          return found ? kindView(verdict, found) : nothing;
        })
      }
    </div>
  `;
}

function kindView(verdict: InputVerdict, { kind, name, count }: ReturnType<typeof problemCounts>[number]) {
  const listed = verdict.problems.filter((problem) => problem.kind === kind);
  const folded = listed.slice(seenAtOnce);
  const isOfTop = kind === 'invalid' && verdict.judged_rows < verdict.row_count;
  return html`
    <section aria-labelledby=${`kind-${kind}`}>
      <h4 id=${`kind-${kind}`}>
        ${name}:
        ${countOf(count, 'row')}${isOfTop ? ` of the first ${formatCount(verdict.judged_rows)}` : nothing}
      </h4>
      <ul role="list">
        ${listed.slice(0, seenAtOnce).map(problemLine)}
      </ul>
      ${
        folded.length > 0
          ? html`<details>
              <summary>
                ${countOf(folded.length, 'more line')}<span class="visually-hidden"> with: ${name}</span>
              </summary>
              <ul role="list">
                ${folded.map(problemLine)}
              </ul>
            </details>`
          : nothing
      }
      ${
        count > listed.length
          ? html`<p class="small muted">
              Only the first ${formatCount(listed.length)} are listed; ${formatCount(count - listed.length)}
              more rows have this problem.
            </p>`
          : nothing
      }
    </section>
  `;
}

function problemLine({ line, message }: Problem) {
  return html`
    <li>
      <span class="line">Line ${formatCount(line)}</span>
      <span>${asSentence(message)}</span>
    </li>
  `;
}

/** The hub counts the rows of the three kinds that may be many in an input it accepts; of the others it lists all. */
function countOfKind(verdict: InputVerdict, kind: Kind): number {
  if (kind === 'invalid') return verdict.invalid_count;
  if (kind === 'empty') return verdict.empty_count;
  if (kind === 'duplicate') return verdict.duplicate_count;
  if (kind === 'over-limit') return Math.max(0, verdict.row_count - verdict.row_limit);
  return verdict.problems.filter((problem) => problem.kind === kind).length;
}
