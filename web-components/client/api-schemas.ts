import type { components } from './api-types.js';

type Schemas = components['schemas'];

export type InputVerdict = Schemas['InputVerdict'];
export type LoginResponse = Schemas['LoginResponse'];
export type Model = Schemas['Model'];
export type ModelList = Schemas['ModelList'];
export type RequestEvent = Schemas['RequestEvent'];
export type Session = Schemas['Session'];
export type WorkflowProgress = Schemas['WorkflowProgress'];
export type WorkRequest = Schemas['WorkRequest'];
export type WorkRequestList = Schemas['WorkRequestList'];
