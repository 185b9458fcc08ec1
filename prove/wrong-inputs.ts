/** A description of an API, as far as wrong input is made from it. */
export interface ApiDocument {
  readonly paths: Readonly<Record<string, Readonly<Record<string, ApiOperation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}

interface ApiOperation {
  readonly parameters?: readonly ApiParameter[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Schema }>> };
}

interface ApiParameter {
  readonly in: 'query' | 'path' | 'header';
  readonly name: string;
  readonly schema: Schema;
}

interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly enum?: readonly string[];
  readonly pattern?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly anyOf?: readonly Schema[];
}

/** A call with one fault in it. */
export interface WrongCall {
  readonly method: string;
  readonly path: string;
  readonly body?: string;
  /** What the answer must name. */
  readonly field: string;
  readonly fault: string;
}

/** A body that would be accepted, for each schema that has one; faults are put into it. */
const soundBodies: Readonly<Record<string, unknown>> = {
  LoginRequest: { encoding: 'YTpi', auth_type: 'ErsiliaUser' },
  SubmitWorkRequest: soundSubmission(),
  CheckInput: soundSubmission(),
  CreateModel: { id: 'eos-proof', enabled: true, details: soundDetails() },
  UpdateModel: { enabled: true, details: soundDetails() },
  InstanceAction: { action: 'STOP_INSTANCE', instance_id: 'none' },
};

/** As short as it may be: what is left out has its ordinary value. */
function soundDetails() {
  return {
    description: 'A model that is never made.',
    k8s_resources: { cpu_request: 100, cpu_limit: 1000, memory_request: 128, memory_limit: 512 },
  };
}

function soundSubmission() {
  return {
    model_id: 'eos-physchem',
    request_payload: { entries: ['CCO'], cache_opt_in: false, has_header: false, column: '1' },
  };
}

/** Wrong input for every parameter and every field of every operation. @throws Error for a body without a sound one */
export function wrongCalls(document: ApiDocument): WrongCall[] {
  return operations(document).flatMap(({ method, path, operation }) => [
    ...(operation.parameters ?? [])
      .filter(({ in: place }) => place === 'query')
      .flatMap((parameter) => wrongQueries(method, path, parameter)),
    ...(operation.parameters ?? [])
      .filter(({ in: place }) => place === 'path')
      .map(({ name }) => ({
        method,
        path: path.replace(`{${name}}`, 'no%00such'),
        field: name,
        fault: 'NUL in the path',
        ...withSoundBody(operation),
      })),
    ...wrongBodies(document, method, path, operation),
  ]);
}

/** The name of what an operation takes as JSON. */
const bodyNameOf = ({ requestBody }: ApiOperation) =>
  requestBody?.content['application/json']?.schema.$ref?.split('/').at(-1);

/** So that the path is the only fault of a call. */
function withSoundBody(operation: ApiOperation): { body?: string } {
  const name = bodyNameOf(operation);
  return name === undefined ? {} : { body: JSON.stringify(soundBodies[name]) };
}

/** Every operation with its method and path. */
export function operations(
  document: ApiDocument,
): { method: string; path: string; operation: ApiOperation }[] {
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      method: method.toUpperCase(),
      path,
      operation,
    })),
  );
}

function wrongQueries(method: string, path: string, { name, schema }: ApiParameter): WrongCall[] {
  const call = (value: string, fault: string): WrongCall => ({
    method,
    path: `${withIds(path)}?${name}=${value}`,
    field: name,
    fault: `${fault} in the query`,
    ...(method === 'POST' && { body: JSON.stringify(soundSubmission()) }),
  });
  const isChoice = schema.enum !== undefined || schema.pattern !== undefined;
  return [call('%00', 'NUL'), ...(isChoice ? [call('perhaps', 'an unknown word')] : [])];
}

/** Paths of single records get the id of one that may not exist: its parameters are judged before. */
const withIds = (path: string) => path.replaceAll(/\{\w+\}/g, '1');

function wrongBodies(
  document: ApiDocument,
  method: string,
  path: string,
  operation: ApiOperation,
): WrongCall[] {
  const name = bodyNameOf(operation);
  if (!name) return [];
  const sound = soundBodies[name];
  if (!sound) throw new Error(`${method} ${path} takes a ${name}, for which there is no sound body`);
  const call = (body: unknown, field: string, fault: string): WrongCall => ({
    method,
    path: withIds(path),
    body: JSON.stringify(body),
    field,
    fault,
  });
  const faults = fieldFaults(document.components.schemas[name]!, []);
  return faults.map(({ at, value, fault }) => call(putAt(sound, at, value), at.at(-1)!, fault));
}

interface FieldFault {
  readonly at: readonly string[];
  /** Undefined leaves the field out. */
  readonly value: unknown;
  readonly fault: string;
}

const oddValues: readonly unknown[] = [7, 'maybe', { a: 1 }, ['\u0000'], [[]], null];

function fieldFaults(schema: Schema, at: readonly string[]): FieldFault[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, field]) => {
    const place = [...at, name];
    const missing = schema.required?.includes(name)
      ? [{ at: place, value: undefined, fault: `${place.join('.')} left out` }]
      : [];
    const odd = oddValues
      .filter((value) => !fits(value, field))
      .map((value) => ({ at: place, value, fault: `${place.join('.')} is ${JSON.stringify(value)}` }));
    return [...missing, ...odd, ...fieldFaults(field, place)];
  });
}

/** Could the value be meant? Then it is no fault. */
function fits(value: unknown, schema: Schema): boolean {
  if (schema.anyOf) return schema.anyOf.some((choice) => fits(value, choice));
  const types = [schema.type ?? []].flat();
  if (schema.enum) return schema.enum.includes(value as string);
  if (value === null) return types.includes('null');
  // What an array must hold is judged element by element, each of which is wrong here.
  if (Array.isArray(value)) return false;
  return types.includes(typeof value) || (Number.isInteger(value) && types.includes('integer'));
}

function putAt(body: unknown, [name, ...rest]: readonly string[], value: unknown): unknown {
  if (name === undefined) return value;
  const fields = body as Readonly<Record<string, unknown>>;
  return { ...fields, [name]: putAt(fields[name], rest, value) };
}
