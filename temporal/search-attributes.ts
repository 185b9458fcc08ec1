import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';

/** What operators search workflows by. Never inputs, names or mail; the status would cost a write per step. */
export const modelIdAttribute = defineSearchAttributeKey('HubModelId', SearchAttributeType.KEYWORD);
export const userHashAttribute = defineSearchAttributeKey('HubUserHash', SearchAttributeType.KEYWORD);
export const instanceIdAttribute = defineSearchAttributeKey('HubInstanceId', SearchAttributeType.KEYWORD);
