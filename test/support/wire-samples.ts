import type { Model } from '../../domain/model/model.wire.js';
import type { LoginResponse } from '../../domain/session/session.wire.js';
import type { InputVerdict, RequestEvent, WorkRequest } from '../../domain/work-request/work-request.wire.js';

/** A guest who just signed in. */
export function sampleLogin(token = 'guest-token', userId = 'guest-1'): LoginResponse {
  return {
    session: {
      userid: userId,
      session_id: '7f6a2a52-95f0-4a0e-9d4b-5f3f6f1f2a11',
      session_token: token,
      auth_type: 'ErsiliaAnonymous',
      session_max_age_seconds: 172_800,
      session_start_time: '2026-02-03T04:05:06.000000Z',
    },
    user: {
      id: userId,
      username: 'anonymous',
      first_name: 'anonymous',
      last_name: '1',
      email: null,
      sign_up_date: null,
      last_updated: null,
    },
    permissions: [],
    effective_permissions: [],
  };
}

/** A small descriptor model, as the list gives it. */
export function sampleModel(id = 'eos-physchem', title = 'Physicochemical descriptors'): Model {
  return {
    id,
    enabled: true,
    revision: 1,
    last_updated: '2026-02-03T04:05:06.000000Z',
    details: {
      template_version: '1',
      description: 'Twelve descriptors for a first look at any library.',
      disable_memory_limit: false,
      max_instances: -1,
      execution_mode: 'SYNC',
      k8s_resources: { cpu_request: 100, cpu_limit: 1000, memory_request: 256, memory_limit: 512 },
      image: `ersiliaos/${id}`,
      image_tag: '1.0.0',
      cache_enabled: false,
      warm_seconds: 60,
      columns: [
        { name: 'amw', type: 'number', unit: 'g/mol', description: 'Average molecular weight' },
        { name: 'tpsa', type: 'number', unit: 'Å²', description: 'Topological polar surface area' },
        {
          name: 'veber_pass',
          type: 'boolean',
          unit: null,
          description: 'Does the molecule meet Veber’s rules',
        },
      ],
      citation: 'Landrum G. et al., RDKit, open-source cheminformatics.',
      identification_details: {
        title,
        description: 'Twelve descriptors for a first look at any library.',
        interpretation: 'Compare the values with the ranges of oral drugs.',
        slug: null,
        source_code: 'https://example.org/source',
        publication: 'https://example.org/paper',
        target_organisms: null,
        biomedical_areas: null,
      },
    },
  };
}

/** The verdict on three rows of CSV, one of them no molecule. */
export function sampleVerdict(change: Partial<InputVerdict> = {}): InputVerdict {
  return {
    delimiter: 'comma',
    header: true,
    header_because: 'the first line holds the name smiles',
    column: { index: 0, name: 'smiles' },
    column_because: 'the header calls it smiles',
    column_names: ['smiles', 'name'],
    row_count: 3,
    invalid_count: 1,
    empty_count: 0,
    duplicate_count: 0,
    judged_rows: 3,
    problems: [{ line: 4, kind: 'invalid', message: '“not-a-molecule” is no molecule' }],
    preview: [
      ['CC(=O)Oc1ccccc1C(=O)O', 'aspirin'],
      ['Cn1c(=O)c2c(ncn2C)n(C)c1=O', 'caffeine'],
      ['not-a-molecule', 'nonsense'],
    ],
    row_limit: 100_000,
    warning: null,
    refusal: null,
    acceptable: true,
    ...change,
  };
}

/** A request of 1,200 rows that was just accepted; `progress` is merged. */
export function sampleRequest(
  change: Partial<Omit<WorkRequest, 'progress'>> & { progress?: Partial<WorkRequest['progress']> } = {},
): WorkRequest {
  const progress = { rows: 1200, rows_done: 0, rows_failed: 0, rows_invalid: 0 };
  return {
    id: 42,
    model_id: 'eos-physchem',
    user_id: 'guest-1',
    request_payload: { entries: [], cache_opt_in: false, has_header: true },
    request_date: new Date(Date.now() - 90_000).toISOString(),
    metadata: { job_data: { model_version: null } },
    request_status: 'QUEUED',
    request_status_reason: null,
    model_job_id: null,
    last_updated: new Date().toISOString(),
    result: null,
    pod_ready_timestamp: null,
    job_submission_timestamp: null,
    processed_timestamp: null,
    input_size: 1200,
    server_id: null,
    verdict: null,
    ...change,
    progress: { ...progress, shards: 2, shards_done: 0, attempts: 1, version: 1, ...change.progress },
  };
}

/** One event of request 42. */
export function sampleEvent(
  eventNo: number,
  type: RequestEvent['type'],
  details: Record<string, unknown> = {},
): RequestEvent {
  return { request_id: 42, event_no: eventNo, type, at: new Date().toISOString(), details };
}
