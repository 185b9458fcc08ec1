import { Module } from '@nestjs/common';
import { KubernetesController } from '../kubernetes/kubernetes.controller.js';
import { MetricsController } from '../metrics/metrics.controller.js';
import { FollowedLogsService } from './followed-logs.service.js';
import { InstanceActionsService } from './instance-actions.service.js';
import { InstanceHistoryService } from './instance-history.service.js';
import { InstanceLogsService } from './instance-logs.service.js';
import { InstancesController } from './instances.controller.js';
import { InstancesService } from './instances.service.js';

/** Instances: listed, told of, measured, stopped. */
@Module({
  controllers: [InstancesController, KubernetesController, MetricsController],
  providers: [
    InstancesService,
    InstanceHistoryService,
    InstanceLogsService,
    FollowedLogsService,
    InstanceActionsService,
  ],
})
export class InstancesModule {}
