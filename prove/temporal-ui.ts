import { readStackRecord } from '../local/stack-record.js';
import type { RunningStack } from '../test/support/stack.js';

/** A workflow as the Temporal UI's list names it. */
export interface ListedWorkflow {
  readonly workflowId: string;
  readonly runId: string;
  readonly status: string;
}

/** Asks what the pages of the Temporal UI ask. */
export class TemporalUi {
  readonly #workflows: string;
  readonly #url: string;
  #csrf: { cookie: string; token: string } | null = null;

  constructor(stack: RunningStack) {
    this.#url = `http://127.0.0.1:${readStackRecord(stack.dataDir).ports.temporalUi}`;
    this.#workflows = `${this.#url}/api/v1/namespaces/default/workflows`;
  }

  /** The list's workflows, and the answer as it came. */
  async list(query: string): Promise<{ workflows: ListedWorkflow[]; text: string }> {
    const text = await textOf(await fetch(`${this.#workflows}?query=${encodeURIComponent(query)}`));
    const { executions = [] } = JSON.parse(text) as { executions?: ListedExecution[] };
    return {
      workflows: executions.map(({ execution, status }) => ({ ...execution, status })),
      text,
    };
  }

  /** The summary under which the workflow is shown. */
  async summary({ workflowId, runId }: ListedWorkflow): Promise<string | null> {
    const url = `${this.#workflows}/${encodeURIComponent(workflowId)}?execution.runId=${runId}`;
    const answer = JSON.parse(await textOf(await fetch(url))) as {
      executionConfig: { userMetadata?: { summary?: Payload } };
    };
    return decode(answer.executionConfig.userMetadata?.summary);
  }

  /** What the workflow says of itself at this moment; of a closed one, what it said last. */
  async currentDetails({ workflowId, runId }: ListedWorkflow): Promise<string | null> {
    const { cookie, token } = (this.#csrf ??= await this.#readCsrf());
    const query = '__temporal_workflow_metadata';
    const response = await fetch(`${this.#workflows}/${encodeURIComponent(workflowId)}/query/${query}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', cookie, 'x-csrf-token': token },
      body: JSON.stringify({ execution: { workflowId, runId }, query: { queryType: query } }),
    });
    const answer = JSON.parse(await textOf(response)) as { queryResult: { payloads: Payload[] } };
    const metadata = decode(answer.queryResult.payloads[0]) as { currentDetails?: string } | null;
    return metadata?.currentDetails ?? null;
  }

  async #readCsrf(): Promise<{ cookie: string; token: string }> {
    const response = await fetch(`${this.#url}/api/v1/settings`);
    const [cookie] = response.headers
      .getSetCookie()
      .map((set) => set.split(';', 1)[0]!)
      .filter((pair) => pair.startsWith('_csrf='));
    if (!cookie) throw new Error('the Temporal UI gave no _csrf cookie');
    return { cookie, token: cookie.slice('_csrf='.length) };
  }
}

interface ListedExecution {
  readonly execution: { readonly workflowId: string; readonly runId: string };
  readonly status: string;
}

interface Payload {
  readonly data: string;
}

function decode<Value = string>(payload: Payload | undefined): Value | null {
  return payload ? (JSON.parse(Buffer.from(payload.data, 'base64').toString()) as Value) : null;
}

async function textOf(response: Response): Promise<string> {
  const text = await response.text();
  if (!response.ok) throw new Error(`the Temporal UI answers ${response.status}: ${text}`);
  return text;
}
