import type { V1PodTemplateSpec } from '@kubernetes/client-node';
import { z } from 'zod';
import type { ClusterApi } from './cluster-api.js';

const TEMPLATE_SELECTOR = 'app.kubernetes.io/component=model-template';
const VERSION_LABEL = 'ersilia.modeltemplate.version';
/** How long a list of templates is used before it is read again. */
const FRESH_MS = 30_000;

const listed = z.object({ items: z.array(z.unknown()).nullish() });
/** What makes a template usable; the rest of it is the API server's to judge when a pod is made of it. */
const usable = z.object({
  metadata: z.object({ labels: z.object({ [VERSION_LABEL]: z.string() }) }),
  template: z.looseObject({
    metadata: z.looseObject({}).nullish(),
    spec: z.looseObject({ containers: z.array(z.looseObject({})).min(1) }),
  }),
});

/** The namespace's pod templates by version. One that can't be used is passed over with a warning. */
export class PodTemplates {
  readonly #api: ClusterApi;
  readonly #path: string;
  readonly #warn: (text: string) => void;
  #byVersion: Promise<ReadonlyMap<string, V1PodTemplateSpec>> | null = null;
  #readAt = 0;

  constructor(api: ClusterApi, namespace: string, warn: (text: string) => void) {
    this.#api = api;
    this.#path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/podtemplates`;
    this.#warn = warn;
  }

  /** Null when the namespace has none of this version. Errors as of `ClusterApi.json`. */
  async find(version: string): Promise<V1PodTemplateSpec | null> {
    if (this.#byVersion === null || Date.now() - this.#readAt > FRESH_MS) {
      this.#readAt = Date.now();
      this.#byVersion = this.#read();
    }
    try {
      return (await this.#byVersion).get(version) ?? null;
    } catch (error) {
      // The next one asks again.
      this.#byVersion = null;
      throw error;
    }
  }

  async #read(): Promise<ReadonlyMap<string, V1PodTemplateSpec>> {
    const query = { labelSelector: TEMPLATE_SELECTOR };
    const { items } = listed.parse(await this.#api.json({ path: this.#path, query }));
    const byVersion = new Map<string, V1PodTemplateSpec>();
    for (const item of items ?? []) {
      const template = usable.safeParse(item);
      if (template.success) {
        const spec = template.data.template as unknown as V1PodTemplateSpec;
        byVersion.set(template.data.metadata.labels[VERSION_LABEL], spec);
      } else {
        this.#warn(
          `the pod template ${nameOf(item)} can't be used: ${z.prettifyError(template.error)}; it needs the label ${VERSION_LABEL} and a container`,
        );
      }
    }
    return byVersion;
  }
}

function nameOf(item: unknown): string {
  return (
    z.object({ metadata: z.object({ name: z.string() }) }).safeParse(item).data?.metadata.name ?? '(no name)'
  );
}
