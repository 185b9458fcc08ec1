/** Loaded before every spec: packages that are still CommonJS can't `require` Nest unless it is loaded already. */
import 'reflect-metadata';
import '@nestjs/common';
import '@nestjs/core';
