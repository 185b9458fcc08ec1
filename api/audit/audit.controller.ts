import { Controller, Get, Inject, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import type { Database } from '../../db/database.js';
import { readAudit } from '../../db/queries/audit.js';
import { Access } from '../auth/access.js';
import { ApiRefusals } from '../http/api-refusals.js';
import { DATABASE } from '../records/tokens.js';
import { AuditFilter, AuditList } from './audit.dto.js';

/** Who did what to what, and why. */
@ApiTags('audit')
@Controller('api/audit')
export class AuditController {
  readonly #database: Database;

  constructor(@Inject(DATABASE) database: Database) {
    this.#database = database;
  }

  @Get()
  @Access('admin')
  @ApiOperation({ summary: 'What admins and operators did, newest first, a page at a time' })
  @ApiOkResponse({ standardSchema: AuditList })
  @ApiRefusals(401, 403, 422, 503)
  async list(@Query({ schema: AuditFilter }) filter: AuditFilter): Promise<z.infer<typeof AuditList>> {
    const rows = await readAudit(this.#database, {
      subjectType: filter.subject_type,
      subjectId: filter.subject_id,
      action: filter.action,
      actorUserId: filter.actor_user_id,
      beforeId: filter.cursor,
      limit: filter.limit + 1,
    });
    const items = rows.slice(0, filter.limit);
    return { items, next_cursor: rows.length > items.length ? items.at(-1)!.id : null };
  }
}
