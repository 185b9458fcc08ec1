import { defineEntity, p } from '@mikro-orm/core';
import type { NodeFigureGap } from '../../domain/usage/node-figures.js';

const NodeLookSchema = defineEntity({
  name: 'NodeLook',
  tableName: 'node_look',
  properties: {
    name: p.text().primary(),
    lookedAt: p.datetime().columnType('timestamptz'),
    gap: p.text().$type<NodeFigureGap>().nullable(),
  },
});

/** The last look at the nodes, one row: when it was, and why figures are missing. No row before the first. */
export class NodeLook extends NodeLookSchema.class {}
NodeLookSchema.setClass(NodeLook);
