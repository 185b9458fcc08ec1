import type { ServerResponse } from 'node:http';
import type { Client } from '@temporalio/client';
import type { WorkflowGateway } from '../../activities/workflow-gateway.js';
import type { Database } from '../../db/database.js';
import { markToEnd } from '../../db/queries/leases.js';
import { podNameOf } from '../../hosts/kubernetes/pod-name.js';
import { FurtherProcess } from '../../prove/further-process.js';
import { createTemporalClient } from '../../temporal/connection.js';
import { createWorkflowGateway } from '../../temporal/workflow-gateway.js';
import { MEBIBYTE } from '../factories/mebibyte.js';
import { makeModel, type MadeModel } from '../factories/make-model.js';
import { makeRequest, type MadeRequest } from '../factories/make-request.js';
import { answerHonestly, type InlineModel, startInlineModel } from '../support/inline-model.js';
import { openTestDatabase } from '../support/open-test-database.js';
import { type DevServer, startDevServer } from '../support/temporal.js';
import { waitUntil } from '../support/wait-until.js';
import type { PodObject } from './control-plane/cluster.js';
import { type ControlPlane, startControlPlane } from './control-plane/control-plane.js';

/**
 * Short limits, so that every way to end is seen within seconds; but for those to be placed and to be ready, within which
 * a busy machine must have placed and begun the pods of all stories.
 */
const limits = {
  INSTANCE_PENDING_TIMEOUT_SECONDS: '30',
  INSTANCE_IMAGE_TIMEOUT_SECONDS: '3',
  INSTANCE_READY_TIMEOUT_SECONDS: '20',
  INSTANCE_UNREADY_TIMEOUT_SECONDS: '3',
  INSTANCE_TERMINATING_TIMEOUT_SECONDS: '5',
  INSTANCE_ORPHAN_SECONDS: '5',
  INSTANCE_GRACE_PERIOD_SECONDS: '1',
  INSTANCE_FORCE_DELETE_SECONDS: '1',
  MAX_CONCURRENT_MODEL_INSTANCES: '100',
};
const metricsService = '/apis/apiregistration.k8s.io/v1/apiservices/v1beta1.metrics.k8s.io';
const pace = { withinMs: 60_000, everyMs: 100 };

/** An instance's row. */
export interface LifeRow {
  readonly id: string;
  readonly uid: string;
  readonly state: string;
  readonly node: string | null;
  readonly waiting_reason: string | null;
  readonly waiting_message: string | null;
  readonly termination_reason: string | null;
  readonly termination_message: string | null;
  readonly exit_code: number | null;
  readonly memory_limit_bytes: number;
  readonly unready_since: string | null;
  readonly lease_outcome: string | null;
}

/** What the pods of a model have from their template. */
export interface Template {
  readonly annotations?: Readonly<Record<string, string>>;
  /** Its pods go to this node alone, and no others do. */
  readonly node?: string;
  /** Another container runs beside the model server. */
  readonly beside?: boolean;
}

/** A real control plane, a real worker process on a real Temporal and Postgres; pods are served by this process. */
export class LifeStage {
  /** Texts whose first call is not answered until it is let go. */
  readonly #held = new Map<string, ServerResponse | null>();

  private constructor(
    readonly plane: ControlPlane,
    readonly namespace: string,
    readonly database: Database,
    readonly worker: FurtherProcess,
    readonly server: InlineModel,
    private readonly temporal: { server: DevServer; client: Client; gateway: WorkflowGateway },
  ) {
    server.conduct = (rows, response) => this.#answer(rows, response);
  }

  /** @param templates of the namespace by version; the hub reads them once in a while only */
  static async open(templates: Readonly<Record<string, Template>>): Promise<LifeStage> {
    const [plane, database, temporal, server] = await Promise.all([
      startControlPlane(),
      openTestDatabase(),
      startDevServer(),
      startInlineModel('any', '0.0.0.0'),
    ]);
    // As it is with kind: no story may depend on what nobody measures.
    await plane.admin.ask('DELETE', metricsService);
    const namespace = await plane.cluster.createNamespace();
    for (const [version, template] of Object.entries(templates))
      await plane.admin.ask(
        'POST',
        `/api/v1/namespaces/${namespace}/podtemplates`,
        templateObject(version, template),
      );
    const large = { cpuMillicores: 8000, memoryBytes: 65_536 * MEBIBYTE };
    await plane.cluster.addNode({ name: 'node-1', ...large });
    const environment = {
      ...limits,
      MODEL_HOST: 'kubernetes',
      KUBECONFIG: await plane.kubeconfig('hub'),
      MODELS_NAMESPACE: namespace,
      MODEL_INTEGRATION_PORT: server.address.split(':')[1]!,
      DATABASE_URL: database.url,
      TEMPORAL_ADDRESS: temporal.address,
      TEMPORAL_NAMESPACE: temporal.namespace,
    };
    const worker = await FurtherProcess.start('temporal/worker.main.js', environment);
    const client = createTemporalClient({
      TEMPORAL_ADDRESS: temporal.address,
      TEMPORAL_NAMESPACE: temporal.namespace,
    });
    const gateway = createWorkflowGateway(client);
    return new LifeStage(plane, namespace, database, worker, server, { server: temporal, client, gateway });
  }

  async close(): Promise<void> {
    await this.worker.stop();
    await this.temporal.client.connection.close();
    await Promise.all([
      this.server.close(),
      this.temporal.server.stop(),
      this.plane.stop(),
      this.database.close(),
    ]);
  }

  /** A node for the pods of one story. */
  addNodeFor(name: string, cpuMillicores = 1000): Promise<void> {
    const taints = [{ key: 'story', value: name, effect: 'NoSchedule' }];
    return this.plane.cluster.addNode({
      name,
      cpuMillicores,
      memoryBytes: 4096 * MEBIBYTE,
      labels: { story: name },
      taints,
    });
  }

  async addModel(templateVersion: string, over: Partial<MadeModel> = {}): Promise<MadeModel> {
    const model = await makeModel(this.database, over);
    await this.database.rows(`update model set template_version = $2 where id = $1`, [
      model.id,
      templateVersion,
    ]);
    return model;
  }

  /** Submits one row and starts its workflow, as the API does. */
  async submit(modelId: string, text: string): Promise<MadeRequest> {
    const request = await makeRequest(this.database, { modelId, shards: [[text]] });
    await this.temporal.gateway.startRequest({ ...request, rowCount: 1 });
    return request;
  }

  /** Asks for an instance's end, as an operator does. */
  async stop(instanceId: string): Promise<void> {
    await this.database.transaction((sql) => markToEnd(sql, instanceId, 'STOPPED', 'asked'));
    await this.temporal.gateway.signalInstance(instanceId);
  }

  /** The first call with this text stays open; later ones are answered. */
  hold(text: string): void {
    this.#held.set(text, null);
  }

  /** Answers the call that was held. */
  letGo(text: string): void {
    const response = this.#held.get(text);
    if (response) answerHonestly([text], response);
  }

  /** Waits until the model computes this text. */
  untilCalled(text: string): Promise<true> {
    return this.until(`the model to be called with ${text}`, async () =>
      this.server.calls.some(([first]) => first === text) ? true : undefined,
    );
  }

  /** The instances that the request had, in order. */
  instancesOf({ requestId }: Pick<MadeRequest, 'requestId'>): Promise<LifeRow[]> {
    return this.database.rows<LifeRow>(
      `select i.*, l.outcome as lease_outcome from instance_lease l join model_instance i on i.id = l.instance_id
        where l.request_id = $1 order by l.granted_at`,
      [requestId],
    );
  }

  /** Waits until the request's first instance is as wanted. */
  untilInstance(
    request: Pick<MadeRequest, 'requestId'>,
    wanted: (row: LifeRow) => boolean,
  ): Promise<LifeRow> {
    let last: LifeRow | undefined;
    return this.until(
      `the instance of request ${request.requestId}`,
      async () => {
        [last] = await this.instancesOf(request);
        return last && wanted(last) ? last : undefined;
      },
      () => JSON.stringify(last),
    );
  }

  /** Waits for the request's end. */
  async untilEnded({
    requestId,
  }: MadeRequest): Promise<{ state: string; failure: { message: string } | null }> {
    return this.until(`request ${requestId} to end`, async () => {
      const [row] = await this.database.rows<{ state: string; failure: { message: string } | null }>(
        `select state, failure from work_request where id = $1 and state in ('COMPLETED', 'FAILED', 'CANCELLED')`,
        [requestId],
      );
      return row;
    });
  }

  pod(instance: Pick<LifeRow, 'id'>): Promise<PodObject> {
    return this.plane.cluster.pod(this.namespace, podNameOf(instance.id));
  }

  /** Names of the pods that exist in the namespace. */
  async podNames(): Promise<string[]> {
    const path = `/api/v1/namespaces/${this.namespace}/pods`;
    const { items } = await this.plane.admin.ask<{ items: PodObject[] }>('GET', path);
    return items.map(({ metadata }) => metadata.name);
  }

  async eventsOf({ id }: Pick<LifeRow, 'id'>): Promise<string[]> {
    const events = await this.database.rows<{ type: string }>(
      `select type from instance_event where instance_id = $1 and source = 'hub' order by event_no`,
      [id],
    );
    return events.map(({ type }) => type);
  }

  /** Waits for what is looked for; whoever waits in vain is shown what the worker said. */
  until<Found>(
    what: string,
    look: () => Promise<Found | undefined>,
    describe: () => string | undefined = () => undefined,
  ): Promise<Found> {
    const withWorker = () => `${describe() ?? 'not yet'}\n${this.worker.output.slice(-4000)}`;
    return waitUntil(what, look, { ...pace, describe: withWorker });
  }

  #answer(rows: readonly string[], response: ServerResponse): void {
    const [text = ''] = rows;
    if (this.#held.get(text) === null) this.#held.set(text, response);
    else answerHonestly(rows, response);
  }
}

function templateObject(version: string, { annotations, node, beside }: Template): object {
  return {
    apiVersion: 'v1',
    kind: 'PodTemplate',
    metadata: {
      name: version,
      labels: {
        'app.kubernetes.io/component': 'model-template',
        'ersilia.modeltemplate.version': version,
      },
    },
    template: {
      metadata: { annotations },
      spec: {
        containers: [{ name: 'model', image: 'any' }, ...(beside ? [{ name: 'beside', image: 'any' }] : [])],
        ...(node && {
          nodeSelector: { story: node },
          tolerations: [{ key: 'story', operator: 'Equal', value: node, effect: 'NoSchedule' }],
        }),
      },
    },
  };
}
