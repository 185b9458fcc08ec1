import { Module } from '@nestjs/common';
import { ModelCatalogueService } from './model-catalogue.service.js';
import { ModelsAdminController } from './models-admin.controller.js';
import { ModelsAdminService } from './models-admin.service.js';
import { ModelsController } from './models.controller.js';
import { ModelsService } from './models.service.js';

/** Models as the wire has them. */
@Module({
  controllers: [ModelsController, ModelsAdminController],
  providers: [ModelsService, ModelsAdminService, ModelCatalogueService],
  exports: [ModelsService],
})
export class ModelsModule {}
