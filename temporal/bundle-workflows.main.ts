import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode } from '@temporalio/worker';
import { workflowBundlePath } from './workflow-bundle.js';

const { code } = await bundleWorkflowCode({
  workflowsPath: fileURLToPath(import.meta.resolve('../workflows/index.js')),
});
await writeFile(workflowBundlePath(), code);
