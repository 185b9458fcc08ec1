/** Loaded before every spec: packages that are still CommonJS can't `require` Nest unless it is loaded already. */
import 'reflect-metadata';
import '@nestjs/common';
import '@nestjs/core';

const { [Symbol.hasInstance]: isInstance } = Function.prototype;

/** Specs run in a realm of their own, in which errors of node itself would not be instances of `Error`. */
Object.defineProperty(Error, Symbol.hasInstance, {
  value(candidate) {
    return this === Error ? Error.isError(candidate) : isInstance.call(this, candidate);
  },
});
