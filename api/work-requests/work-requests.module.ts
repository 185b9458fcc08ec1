import { Module } from '@nestjs/common';
import { AuthModule } from '../auth/auth.module.js';
import { ModelsModule } from '../models/models.module.js';
import { RequestEventsService } from './request-events.service.js';
import { RequestProgressService } from './request-progress.service.js';
import { RequestWakesService } from './request-wakes.service.js';
import { ResultsService } from './results.service.js';
import { SubmissionsController } from './submissions.controller.js';
import { SubmissionsService } from './submissions.service.js';
import { WaitingLineService } from './waiting-line.service.js';
import { WorkRequestsController } from './work-requests.controller.js';
import { WorkRequestsService } from './work-requests.service.js';
import { WorkflowLauncherService } from './workflow-launcher.service.js';

/** Work requests: taken, read, followed, cancelled. */
@Module({
  imports: [AuthModule, ModelsModule],
  controllers: [SubmissionsController, WorkRequestsController],
  providers: [
    SubmissionsService,
    WorkRequestsService,
    ResultsService,
    RequestEventsService,
    RequestWakesService,
    RequestProgressService,
    WaitingLineService,
    WorkflowLauncherService,
  ],
})
export class WorkRequestsModule {}
