import { Module } from '@nestjs/common';
import { InstanceActionsService } from './instance-actions.service.js';
import { InstanceHistoryService } from './instance-history.service.js';
import { InstancesController } from './instances.controller.js';
import { InstancesService } from './instances.service.js';

/** Instances: listed, told of, stopped. */
@Module({
  controllers: [InstancesController],
  providers: [InstancesService, InstanceHistoryService, InstanceActionsService],
})
export class InstancesModule {}
