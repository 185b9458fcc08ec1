import { Inject, Injectable } from '@nestjs/common';
import { z } from 'zod';
import type { IdentificationDetails } from '../../domain/model/model.wire.js';
import { readIdentification } from '../../domain/model/read-identification.js';
import type { ApiSettings } from '../api.config.js';
import { AtMost } from '../auth/at-most.js';
import { Refusal } from '../http/refusal.js';
import { SETTINGS } from '../records/tokens.js';
import { fetchJson, OutsideError } from './fetch-json.js';

type Identification = z.infer<typeof IdentificationDetails>;

/** The whole catalogue is one answer; it is asked again when what is known is older than this. */
const KNOWN_MS = 30_000;
const CATALOGUE_BYTES = 8 * 1024 * 1024;
const RECORD_BYTES = 1024 * 1024;
/** So many look-ups go to the model hub at once, and so many wait. */
const [AT_ONCE, WAITING] = [2, 8];

const hubRecords = z.object({
  records: z
    .array(z.object({ id: z.string().optional().catch(undefined), fields: z.unknown() }))
    .nullish()
    .transform((records) => records ?? []),
});
const cells = { options: { cellFormat: 'string', timeZone: 'UTC', userLocale: 'en-US' }, pageContext: null };

/** What the world has published of models: asked for when an admin fills in a model, so slow and seldom. */
@Injectable()
export class ModelCatalogueService {
  readonly #settings: ApiSettings;
  readonly #lookUps = new AtMost(AT_ONCE, WAITING);
  #catalogue: {
    readonly until: number;
    readonly records: Promise<ReadonlyMap<string, Identification | null>>;
  } | null = null;

  constructor(@Inject(SETTINGS) settings: ApiSettings) {
    this.#settings = settings;
  }

  /**
   * From the catalogue, asked twice if it has to be; else from the model hub.
   * @throws Refusal 404 when neither knows the model, 503 when one that might could not be asked
   */
  async find(modelId: string): Promise<Identification> {
    const sources = [
      () => this.#inCatalogue(modelId),
      () => this.#inCatalogue(modelId),
      () => this.#inModelHub(modelId),
    ];
    const troubles = new Set<string>();
    for (const ask of sources) {
      try {
        const found = await ask();
        if (found) return found;
      } catch (error) {
        if (!(error instanceof OutsideError)) throw error;
        troubles.add(error.message);
      }
    }
    if (troubles.size > 0) throw notAsked([...troubles].join('; '));
    throw this.#unknown(modelId);
  }

  /** @throws Refusal 404 when the catalogue does not have the model, 503 when it can't be asked */
  async findInCatalogue(modelId: string): Promise<Identification> {
    return this.#from(modelId, () => this.#inCatalogue(modelId));
  }

  /** @throws Refusal 404 when the model hub does not have the model, 503 when it can't be asked */
  async findInModelHub(modelId: string): Promise<Identification> {
    return this.#from(modelId, () => this.#inModelHub(modelId));
  }

  async #from(modelId: string, ask: () => Promise<Identification | null>): Promise<Identification> {
    const found = await ask().catch((error: unknown) => {
      throw error instanceof OutsideError ? notAsked(error.message) : error;
    });
    if (!found) throw this.#unknown(modelId);
    return found;
  }

  #unknown(modelId: string): Refusal {
    const { ERSILIA_CATALOG_MODELS_URL: catalogue, MODEL_HUB_RECORDS_URL: hub } = this.#settings;
    if (!catalogue && !hub)
      return new Refusal(404, `${FAILED}: no catalogue is set; set ERSILIA_CATALOG_MODELS_URL`);
    return new Refusal(404, `${FAILED}: the catalogue has no model with id [${modelId}]`);
  }

  async #inCatalogue(modelId: string): Promise<Identification | null> {
    const { ERSILIA_CATALOG_MODELS_URL: url } = this.#settings;
    if (!url) return null;
    if (!this.#catalogue || this.#catalogue.until < performance.now()) {
      const records = this.#readCatalogue(url);
      this.#catalogue = { until: performance.now() + KNOWN_MS, records };
      // What failed is not kept: the next one asks again.
      records.catch(() => (this.#catalogue = null));
    }
    return (await this.#catalogue.records).get(modelId) ?? null;
  }

  async #readCatalogue(url: string): Promise<ReadonlyMap<string, Identification | null>> {
    const setting = 'ERSILIA_CATALOG_MODELS_URL';
    const records = await fetchJson({ url, setting, ...this.#limits, maxBytes: CATALOGUE_BYTES });
    if (!Array.isArray(records))
      throw new OutsideError(`the address in ${setting} answered with something that is no list of models`);
    return new Map(
      records.map((record: { Identifier?: unknown } | null) => [
        String(record?.Identifier),
        readIdentification(record),
      ]),
    );
  }

  async #inModelHub(modelId: string): Promise<Identification | null> {
    const { MODEL_HUB_RECORDS_URL: recordsUrl, MODEL_HUB_DETAILS_BASE_URL: detailsUrl } = this.#settings;
    if (!recordsUrl || !detailsUrl) return null;
    const found = await this.#lookUps.run(async () => {
      const body = { ...cells, ...identifierFilter(modelId), pagingOption: { offset: null, count: 6 } };
      const candidates = await this.#hubRecords('MODEL_HUB_RECORDS_URL', recordsUrl, body);
      const recordId = candidates.find(({ fields }) => identifierOf(fields) === modelId)?.id;
      if (recordId === undefined) return { fields: null };
      const address = `${detailsUrl.replace(/\/$/, '')}/${encodeURIComponent(recordId)}`;
      const [record] = await this.#hubRecords('MODEL_HUB_DETAILS_BASE_URL', address, {
        ...cells,
        filterCriteria: {},
      });
      return { fields: record?.fields ?? null };
    });
    if (!found) throw new Refusal(503, `${FAILED}: too many ask for such details; try again in a moment`);
    return readIdentification(found.fields);
  }

  async #hubRecords(
    setting: string,
    url: string,
    body: unknown,
  ): Promise<z.infer<typeof hubRecords>['records']> {
    const answer = await fetchJson({ url, setting, body, ...this.#limits, maxBytes: RECORD_BYTES });
    const parsed = hubRecords.safeParse(answer);
    if (!parsed.success) throw new OutsideError(`the address in ${setting} answered with no list of records`);
    return parsed.data.records;
  }

  get #limits() {
    return { timeoutMs: this.#settings.MODEL_CATALOG_TIMEOUT_SECONDS * 1000 };
  }
}

const FAILED = 'Failed to get model identification details';
const notAsked = (why: string) => new Refusal(503, `${FAILED}: ${why}`);

const identifierOf = (fields: unknown) =>
  typeof fields === 'object' && fields !== null ? (fields as { Identifier?: unknown }).Identifier : undefined;

/** The record store's words for "Identifier contains this". */
function identifierFilter(modelId: string) {
  const filters = [{ subject: 'Identifier', operator: 'CONTAINS', value: modelId }];
  return {
    filterCriteria: {
      filterConditionGroup: { logicalOperator: 'AND', filterGroups: [{ logicalOperator: 'OR', filters }] },
    },
  };
}
