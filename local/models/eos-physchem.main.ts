import { serveModel } from './serve-model.js';

await serveModel('eos-physchem');
