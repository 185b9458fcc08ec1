import { Inject, Injectable } from '@nestjs/common';
import type { Chemistry } from '../../chemistry/chemistry.js';
import type { Database } from '../../db/database.js';
import { JUDGED_ROWS } from '../../domain/work-request/limits.js';
import type { InputRefusal } from '../../domain/work-request/input-verdict.js';
import type { Model } from '../../domain/model/model.wire.js';
import type { InputVerdict, WorkRequest } from '../../domain/work-request/work-request.wire.js';
import type { ApiSettings } from '../api.config.js';
import type { SignedIn } from '../auth/signed-in.js';
import { Refusal, wrongField } from '../http/refusal.js';
import { ModelsService } from '../models/models.service.js';
import { CHEMISTRY, DATABASE, SETTINGS } from '../records/tokens.js';
import { inputLines } from './input-lines.js';
import { insertWorkRequest } from './insert-work-request.js';
import { planSubmission, type PlannedSubmission } from './plan-submission.js';
import { EMPTY_INPUT, type Submission } from './read-submission.js';
import { toWireVerdict } from './to-wire-verdict.js';
import { toWorkRequest } from './to-work-request.js';
import { WorkflowLauncherService } from './workflow-launcher.service.js';

/** Takes inputs: judges them, stores accepted ones, has their workflow started. */
@Injectable()
export class SubmissionsService {
  readonly #database: Database;
  readonly #chemistry: Chemistry;
  readonly #settings: ApiSettings;
  readonly #models: ModelsService;
  readonly #launcher: WorkflowLauncherService;

  constructor(
    @Inject(DATABASE) database: Database,
    @Inject(CHEMISTRY) chemistry: Chemistry,
    @Inject(SETTINGS) settings: ApiSettings,
    models: ModelsService,
    launcher: WorkflowLauncherService,
  ) {
    this.#database = database;
    this.#chemistry = chemistry;
    this.#settings = settings;
    this.#models = models;
    this.#launcher = launcher;
  }

  /** Reads and stores an input. Once this resolves the request is never lost, whatever becomes of Temporal. */
  async submit(caller: SignedIn, submission: Submission, userAgent: string | null): Promise<WorkRequest> {
    const model = await this.#modelOf(submission);
    const rowLimit = this.#rowLimit(caller);
    const planned = await this.#plan(submission, model, rowLimit, 0);
    const { refusal } = planned.report;
    if (refusal) throw toRefusal(refusal, submission);
    const verdict = toWireVerdict(planned.report, rowLimit);
    const row = await insertWorkRequest(this.#database, {
      owner: caller,
      modelId: model.id,
      retentionDays: this.#retentionDays(caller),
      verdict,
      cacheOptIn: submission.cacheOptIn,
      shards: planned.shards,
      userAgent,
    });
    this.#launcher.start(row);
    return toWorkRequest(row, inputLines({ ...linesOf(verdict), rows: planned.shownRows }));
  }

  /** What the hub would make of an input; nothing is stored. */
  async check(caller: SignedIn, submission: Submission): Promise<InputVerdict> {
    const model = submission.modelId === null ? null : await this.#modelOf(submission);
    const rowLimit = this.#rowLimit(caller);
    const planned = await this.#plan(submission, model, rowLimit, JUDGED_ROWS);
    return toWireVerdict(planned.report, rowLimit);
  }

  #plan(
    submission: Submission,
    model: Model | null,
    maxRows: number,
    checkedRows: number,
  ): Promise<PlannedSubmission> {
    const { text, hint, header, column } = submission;
    return planSubmission(text, {
      hint,
      header,
      column,
      maxRows,
      checkedRows,
      modelColumnCount: model?.details.columns.length || null,
      areMolecules: (texts) => this.#chemistry.areMolecules(texts),
    });
  }

  async #modelOf({ modelId, places }: Submission): Promise<Model> {
    if (modelId === null) throw wrongField(places.modelId, 'Field required', 'missing');
    const model = await this.#models.find(modelId);
    if (!model) throw new Refusal(400, `Invalid request body - No model with id [${modelId}]`);
    return model;
  }

  #rowLimit({ kind }: SignedIn): number {
    return kind === 'guest' ? this.#settings.GUEST_MAX_ROWS : this.#settings.REGISTERED_MAX_ROWS;
  }

  #retentionDays({ kind }: SignedIn): number {
    return kind === 'guest' ? this.#settings.GUEST_RETENTION_DAYS : this.#settings.REGISTERED_RETENTION_DAYS;
  }
}

const linesOf = ({ delimiter, header, column_names }: InputVerdict) => ({
  delimiter,
  hasHeader: header,
  columnNames: column_names,
});

function toRefusal({ code, message }: InputRefusal, { places }: Submission): Refusal {
  if (code === 'empty' || code === 'header-only') return new Refusal(400, EMPTY_INPUT);
  if (code === 'unknown-column') return wrongField(places.column, message);
  if (code === 'over-limit')
    return new Refusal(400, `Invalid request body - Input Size Too Large: ${message}`);
  return new Refusal(400, `Invalid request body - ${message}`);
}
