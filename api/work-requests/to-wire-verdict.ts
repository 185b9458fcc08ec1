import { JUDGED_ROWS } from '../../domain/work-request/limits.js';
import type { InputRefusal } from '../../domain/work-request/input-verdict.js';
import type { InputReport } from '../../domain/work-request/plan-input.js';
import type { InputVerdict } from '../../domain/work-request/work-request.wire.js';

/** Longer cells are cut in the preview. */
const LONGEST_SHOWN = 200;

/** What the hub made of an input, as the wire has it: also of one that it refuses. */
export function toWireVerdict(report: InputReport, rowLimit: number): InputVerdict {
  return wellFormed(describeReport(report, rowLimit));
}

function describeReport(report: InputReport, rowLimit: number): InputVerdict {
  const { refusal, problems, judgedRows, preview } = report;
  const verdict = report.verdict ?? unjudged(refusal);
  return {
    delimiter: verdict.delimiter,
    header: verdict.header,
    header_because: verdict.headerBecause,
    column: verdict.column && { ...verdict.column },
    column_because: verdict.columnBecause,
    column_names: [...verdict.columnNames],
    row_count: problems.rowCount,
    invalid_count: problems.counts.invalid,
    empty_count: problems.counts.empty,
    duplicate_count: problems.counts.duplicate,
    judged_rows: Math.min(judgedRows, JUDGED_ROWS),
    problems: problems.first.map((problem) => ({ ...problem })),
    preview: preview.map((row) => row.map((cell) => cell.slice(0, LONGEST_SHOWN))),
    row_limit: rowLimit,
    warning: verdict.warning,
    refusal: refusal?.message ?? null,
    acceptable: refusal === null,
  };
}

/** Texts that were cut may end in half a surrogate pair, which Postgres would refuse. */
function wellFormed<Value>(value: Value): Value {
  return JSON.parse(
    JSON.stringify(value, (_, inner: unknown) => (typeof inner === 'string' ? inner.toWellFormed() : inner)),
  ) as Value;
}

/** What is said of an input that could not be judged at all. */
function unjudged(refusal: InputRefusal | null) {
  const because = refusal?.message ?? '';
  return {
    delimiter: 'none',
    header: false,
    headerBecause: because,
    column: null,
    columnBecause: because,
    columnNames: [],
    warning: null,
  } as const;
}
